//! What failures in a row lead to: a growing wait, then none at all (`protocol.md` §5.7).

use std::time::Duration;

use rusqlite::Connection;
use time::OffsetDateTime;

use crate::{
    options::RunLimits,
    store::{
        StoreError,
        runs::{self, Run, RunStatus, TriggerType},
    },
};

/// Unsuccessful runs of a source's scheduled class, newest first, up to the last success.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Streak {
    pub(crate) failures: usize,
    /// When the latest of them ended.
    latest: Option<OffsetDateTime>,
}

impl Streak {
    pub(crate) fn read(
        db: &Connection,
        source_id: &str,
        limits: &RunLimits,
    ) -> Result<Self, StoreError> {
        let window = limits.max_failures.saturating_mul(3);
        let runs = runs::latest_scheduled(db, source_id, window)?;
        Ok(Self::of(&runs))
    }

    /// Of runs, newest first. A failure that a person asked for says nothing about the schedule; a success does.
    fn of(runs: &[Run]) -> Self {
        let mut streak = Self::default();
        for run in runs {
            match run.status {
                RunStatus::Completed | RunStatus::Running => break,
                RunStatus::Failed | RunStatus::Cancelled => {
                    if run.trigger_type != TriggerType::Manual {
                        streak.failures += 1;
                        streak.latest = streak.latest.or(run.completed_at);
                    }
                }
            }
        }
        streak
    }

    /// Whether scheduled runs have stopped.
    pub(crate) fn is_broken(self, limits: &RunLimits) -> bool {
        self.failures >= limits.max_failures
    }

    /// Whether the source has to wait before the next scheduled run.
    pub(crate) fn is_waiting(self, limits: &RunLimits, now: OffsetDateTime) -> bool {
        self.latest
            .is_some_and(|end| now < end + backoff(limits, self.failures))
    }
}

/// The wait after that many failures in a row.
pub(crate) fn backoff(limits: &RunLimits, failures: usize) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    limits
        .backoff_base
        .saturating_mul(factor)
        .min(limits.backoff_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_limit() {
        let limits = RunLimits::default();
        let waits: Vec<_> = [1, 2, 3, 8, 1000]
            .map(|failures| backoff(&limits, failures).as_secs())
            .to_vec();
        assert_eq!(waits, [30, 60, 120, 3600, 3600]);
    }
}
