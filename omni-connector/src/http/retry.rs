//! Decides when to retry: the growing pauses of one call, and the retry budget that all calls of an API share.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::clock;

/// The longest pause before the second attempt.
const FIRST: Duration = Duration::from_millis(500);
/// The longest pause that the source did not request.
const LONGEST: Duration = Duration::from_mins(1);
/// The longest pause that a source can request: a wrong header must not block a run for a day.
pub(super) const LONGEST_ASKED: Duration = Duration::from_mins(15);

/// Returns the pause after attempt number `attempt`, from 1. It is random, up to twice the previous one, so that tasks
/// do not retry together.
pub(super) fn backoff(attempt: u32) -> Duration {
    let most = FIRST
        .saturating_mul(1 << attempt.saturating_sub(1).min(16))
        .min(LONGEST);
    // At least half of the pause is fixed: a pause near zero would not help.
    clock::pause(most.mul_f64(0.5 + jitter() / 2.0))
}

/// Returns a random number from 0 to 1.
pub(super) fn jitter() -> f64 {
    #[allow(clippy::cast_possible_truncation, reason = "any 32 bits do")]
    let random = RandomState::new().hash_one(0_u8) as u32;
    f64::from(random) / f64::from(u32::MAX)
}

/// The retries of an API: at most one in five calls over a minute, and at least ten.
#[derive(Debug)]
pub(super) struct Budget(Mutex<[Slice; SLICES]>);

const SLICES: usize = 6;
const SLICE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
struct Slice {
    number: u64,
    calls: u32,
    retries: u32,
}

impl Default for Budget {
    fn default() -> Self {
        const EMPTY: Slice = Slice {
            number: u64::MAX,
            calls: 0,
            retries: 0,
        };
        Self(Mutex::new([EMPTY; SLICES]))
    }
}

impl Budget {
    /// Counts one call.
    pub(super) fn call(&self, since: Instant) {
        self.with(since, |slice, _| slice.calls += 1);
    }

    /// Counts one retry, if one is left. Returns whether it was.
    pub(super) fn retry(&self, since: Instant) -> bool {
        self.with(since, |slice, (calls, retries)| {
            let is_left = retries < (calls / 5).max(10);
            slice.retries += u32::from(is_left);
            is_left
        })
    }

    /// Calls `work` with the current slice and the sums of the last minute. `since` is the creation time of the API.
    fn with<T>(&self, since: Instant, work: impl FnOnce(&mut Slice, (u32, u32)) -> T) -> T {
        let now = since.elapsed().as_secs() / SLICE.as_secs();
        let mut slices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |slice: &&Slice| slice.number.wrapping_add(SLICES as u64) > now;
        let recent = slices
            .iter()
            .filter(|slice| slice.number <= now)
            .filter(is_recent);
        let sums = recent.fold((0, 0), |(calls, retries), slice| {
            (calls + slice.calls, retries + slice.retries)
        });
        #[allow(
            clippy::cast_possible_truncation,
            reason = "less than the number of slices"
        )]
        let slice = &mut slices[(now % SLICES as u64) as usize];
        if slice.number != now {
            *slice = Slice {
                number: now,
                calls: 0,
                retries: 0,
            };
        }
        work(slice, sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_dying_source_gets_one_retry_in_five_calls() {
        let (since, budget) = (Instant::now(), Budget::default());
        let granted = |budget: &Budget| (0..100).filter(|_| budget.retry(since)).count();
        assert_eq!(granted(&budget), 10, "the first ones are free");
        (0..200).for_each(|_| budget.call(since));
        assert_eq!(
            granted(&budget),
            30,
            "forty for two hundred calls, ten of them were spent"
        );
        tokio::time::advance(Duration::from_secs(70)).await;
        assert_eq!(
            granted(&budget),
            10,
            "a minute later everything is forgotten"
        );
    }

    #[test]
    fn pauses_double_up_to_a_minute() {
        for (attempt, most) in [(1, 500), (2, 1_000), (5, 8_000), (8, 60_000), (90, 60_000)] {
            let pause = backoff(attempt).as_millis();
            assert!(pause >= most / 2 && pause <= most, "{attempt}: {pause}");
        }
    }
}
