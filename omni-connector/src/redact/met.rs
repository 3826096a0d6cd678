//! The secrets that the process has met.
//!
//! The latest secrets are removed from every log line, span and panic, also from those of the author's code. A process that
//! records a tape or keeps the requests of its runs keeps all secrets: neither may contain any.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use super::{REDACTED, rules::redact, secrets::SHORTEST, spelling::Matcher};

/// The environment variable with which `cargo omni sync --record` turns recording on: `1`, or [`PSEUDONYMS`].
const VARIABLE: &str = "OMNI_HTTP_RECORD";
/// The environment variable with which `cargo omni` has a process keep the requests of its runs.
const REQUESTS: &str = "OMNI_DEV_REQUESTS";
/// How many secrets are removed from lines. More would make a search in each line slow.
const LATEST: usize = 64;
/// The shortest secret that is removed from lines. Shorter ones also occur in lines about something else.
const SHORTEST_IN_LINES: usize = 8;
/// The value with which addresses, names and texts on the tape are made up.
const PSEUDONYMS: &str = "pseudonyms";

static ARE_KEPT: LazyLock<bool> = LazyLock::new(|| {
    std::env::var(VARIABLE).is_ok_and(|value| ["1", PSEUDONYMS].contains(&value.as_str()))
});

static ARE_REQUESTS_KEPT: LazyLock<bool> =
    LazyLock::new(|| std::env::var(REQUESTS).is_ok_and(|value| value == "1"));

static MET: Mutex<Met> = Mutex::new(Met {
    all: Vec::new(),
    latest: VecDeque::new(),
    matcher: None,
});

struct Met {
    /// Empty unless the process records, or keeps requests.
    all: Vec<String>,
    /// The oldest is first.
    latest: VecDeque<String>,
    /// Finds the latest secrets. Built for the first line after a new secret.
    matcher: Option<Arc<Matcher>>,
}

fn met() -> MutexGuard<'static, Met> {
    MET.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether this process records, and therefore keeps the secrets that it meets.
pub(crate) fn are_kept() -> bool {
    *ARE_KEPT
}

/// Returns whether this process keeps the requests of its runs, for the development page.
pub(crate) fn are_requests_kept() -> bool {
    *ARE_REQUESTS_KEPT
}

/// Returns whether the tape gets made-up addresses, names and texts.
pub(crate) fn are_names_made_up() -> bool {
    std::env::var(VARIABLE).is_ok_and(|value| value == PSEUDONYMS)
}

/// Keeps a secret.
pub(crate) fn note(secret: &str) {
    let secret = secret.trim();
    if secret.len() < SHORTEST {
        return;
    }
    let mut met = met();
    if (are_kept() || are_requests_kept()) && !met.all.iter().any(|known| known == secret) {
        met.all.push(secret.to_owned());
    }
    if secret.len() < SHORTEST_IN_LINES {
        return;
    }
    if let Some(place) = met.latest.iter().position(|known| known == secret) {
        // The secrets of a run that lasts are met again and again, and stay.
        let known = met.latest.remove(place);
        met.latest.extend(known);
        return;
    }
    if met.latest.len() == LATEST {
        met.latest.pop_front();
    }
    met.latest.push_back(secret.to_owned());
    met.matcher = None;
}

/// Returns the secrets from this number on, in a process that keeps them.
pub(super) fn since(number: usize) -> Vec<String> {
    met().all.get(number..).unwrap_or_default().to_vec()
}

fn matcher() -> Option<Arc<Matcher>> {
    let mut met = met();
    if met.latest.is_empty() {
        return None;
    }
    if met.matcher.is_none() {
        let secrets = met.latest.iter().map(String::as_str);
        met.matcher = Some(Arc::new(Matcher::new(secrets)));
    }
    met.matcher.clone()
}

/// Removes from a line whatever looks like a secret, and the latest secrets of the process in every spelling. The author
/// writes lines of their own, which nobody else cleans.
pub(crate) fn redact_line(line: &str) -> Cow<'_, str> {
    let Some(matcher) = matcher() else {
        return redact(line);
    };
    let clean = matcher.replace(line, |_| REDACTED.into());
    if clean == line {
        return redact(line);
    }
    Cow::Owned(redact(&clean).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Held by each test: the process has one list of secrets, from which the other test would evict this one's.
    static LIST: Mutex<()> = Mutex::new(());

    fn alone() -> MutexGuard<'static, ()> {
        LIST.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn a_line_has_no_secret_that_the_process_met_whoever_wrote_it() {
        let _alone = alone();
        note(" wJalr/XUtn+FEMI ");
        for line in [
            "calling wJalr/XUtn+FEMI",
            "calling ?k=wJalr%2FXUtn%2BFEMI&page=2",
            r#"{"message":"wJalr\/XUtn+FEMI"}"#,
        ] {
            let clean = redact_line(line);
            assert!(
                !clean.contains("XUtn") && clean.contains(REDACTED),
                "{clean}"
            );
        }
        assert!(matches!(redact_line("calling home"), Cow::Borrowed(_)));
    }

    #[test]
    fn the_latest_secrets_are_removed_and_a_secret_that_is_met_again_stays() {
        let _alone = alone();
        note("the-first-secret");
        for number in 0..LATEST * 2 {
            note(&format!("another-secret-{number:03}"));
            note("the-first-secret");
        }
        let clean = redact_line("the-first-secret another-secret-127 another-secret-003");
        assert_eq!(clean, "[redacted] [redacted] another-secret-003");
    }
}
