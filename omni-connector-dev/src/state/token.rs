//! Random tokens: the state of a sign-in, the verifier of PKCE, a browser's cookie.

/// Returns 256 random bits in hexadecimal digits.
///
/// # Panics
///
/// Panics if the operating system gives no random bytes.
pub(crate) fn random_token() -> String {
    let mut bytes = [0; 32];
    if let Err(error) = getrandom::fill(&mut bytes) {
        panic!("the operating system gives no random bytes: {error}");
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
