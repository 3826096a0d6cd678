//! The secrets that a process has met, while it records a tape. A tape must not contain any of them.

use std::sync::{LazyLock, Mutex, PoisonError};

use super::secrets::SHORTEST;

/// The environment variable with which `cargo omni sync --record` turns recording on: `1`, or [`PSEUDONYMS`].
const VARIABLE: &str = "OMNI_HTTP_RECORD";
/// The value with which addresses, names and texts on the tape are made up.
const PSEUDONYMS: &str = "pseudonyms";

static ARE_KEPT: LazyLock<bool> = LazyLock::new(|| {
    std::env::var(VARIABLE).is_ok_and(|value| ["1", PSEUDONYMS].contains(&value.as_str()))
});

static MET: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Returns whether this process records, and therefore keeps the secrets that it meets.
pub(crate) fn are_kept() -> bool {
    *ARE_KEPT
}

/// Returns whether the tape gets made-up addresses, names and texts.
pub(crate) fn are_names_made_up() -> bool {
    std::env::var(VARIABLE).is_ok_and(|value| value == PSEUDONYMS)
}

/// Keeps a secret, if the process records.
pub(crate) fn note(secret: &str) {
    if !are_kept() || secret.trim().len() < SHORTEST {
        return;
    }
    let mut met = MET.lock().unwrap_or_else(PoisonError::into_inner);
    if !met.iter().any(|known| known == secret) {
        met.push(secret.to_owned());
    }
}

/// Returns the secrets from this number on.
pub(super) fn since(number: usize) -> Vec<String> {
    let met = MET.lock().unwrap_or_else(PoisonError::into_inner);
    met.get(number..).unwrap_or_default().to_vec()
}
