//! Random tokens: the state of a sign-in, the verifier of PKCE, a browser's cookie.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Returns 256 random bits as 43 letters, digits, `-` and `_`.
///
/// # Panics
///
/// Panics if the operating system gives no random bytes.
pub(crate) fn random_token() -> String {
    let mut bytes = [0; 32];
    if let Err(error) = getrandom::fill(&mut bytes) {
        panic!("the operating system gives no random bytes: {error}");
    }
    URL_SAFE_NO_PAD.encode(bytes)
}
