//! A faster clock for tests: with `OMNI_TEST_CLOCK=50` the framework's pauses take a fiftieth of their time. Nothing
//! else changes, so a test of "wait 15 minutes" waits 18 seconds. Never set it in production: a source that asks for a
//! pause would not get it.

use std::{sync::LazyLock, time::Duration};

/// The shortest time limit of a call, however fast the clock is.
const SHORTEST_LIMIT: Duration = Duration::from_secs(3);

static FACTOR: LazyLock<u32> = LazyLock::new(|| {
    let factor = std::env::var("OMNI_TEST_CLOCK").ok();
    factor
        .and_then(|factor| factor.parse().ok())
        .unwrap_or(1)
        .max(1)
});

/// Returns the duration of a pause on the clock of tests.
pub(crate) fn pause(pause: Duration) -> Duration {
    pause / *FACTOR
}

/// Returns the time limit of a call on the clock of tests.
pub(crate) fn limit(limit: Duration) -> Duration {
    (limit / *FACTOR).max(SHORTEST_LIMIT).min(limit)
}
