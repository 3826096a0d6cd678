//! Consecutive failures of a source: backoff grows until scheduled runs stop (`protocol.md` §5.7).

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

/// Failed runs of a source's scheduled class since the last success, newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Streak {
    pub(crate) failures: usize,
    /// When the latest failure ended.
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

    /// Counts the failures in `runs`, newest first. Ignores failures of manual runs; a manual
    /// success ends the streak.
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

    /// Returns whether scheduled runs have stopped.
    pub(crate) fn is_broken(self, limits: &RunLimits) -> bool {
        self.failures >= limits.max_failures
    }

    /// Returns whether the source is in backoff before its next scheduled run.
    pub(crate) fn is_waiting(self, limits: &RunLimits, now: OffsetDateTime) -> bool {
        self.latest
            .is_some_and(|end| now < end + backoff(limits, self.failures))
    }
}

/// Returns the backoff after `failures` consecutive failures.
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
    use omni_connector::SyncType;

    use super::*;
    use crate::store::Store;

    #[test]
    fn the_backoff_doubles_up_to_its_limit() {
        let limits = RunLimits::default();
        let waits: Vec<_> = [1, 2, 3, 8, 1000]
            .map(|failures| backoff(&limits, failures).as_secs())
            .to_vec();
        assert_eq!(waits, [30, 60, 120, 3600, 3600]);
    }

    async fn streak_of(runs: &'static [(TriggerType, RunStatus)]) -> Streak {
        let store = Store::in_memory().unwrap();
        store
            .write(move |db| {
                for (trigger, status) in runs {
                    let run = runs::insert(db, "source", SyncType::Full, *trigger)?;
                    match status {
                        RunStatus::Running => {}
                        RunStatus::Completed => drop(runs::complete(db, &run.id)?),
                        RunStatus::Failed => drop(runs::fail(db, &run.id, "")?),
                        RunStatus::Cancelled => drop(runs::cancel(db, &run.id, "")?),
                    }
                }
                Streak::read(db, "source", &RunLimits::default())
            })
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_streak_starts_after_the_last_success_and_skips_manual_runs() {
        use RunStatus::{Cancelled, Completed, Failed, Running};
        use TriggerType::{Manual, Scheduled, Webhook};
        for (runs, failures) in [
            (
                &[
                    (Scheduled, Failed),
                    (Scheduled, Cancelled),
                    (Manual, Failed),
                ][..],
                2,
            ),
            (
                &[(Scheduled, Failed), (Manual, Completed), (Webhook, Failed)],
                1,
            ),
            (&[(Scheduled, Failed), (Scheduled, Running)], 0),
            (&[(Manual, Failed)], 0),
            (&[], 0),
        ] {
            assert_eq!(streak_of(runs).await.failures, failures, "{runs:?}");
        }
    }

    #[tokio::test]
    async fn the_breaker_opens_at_the_limit_and_is_always_open_at_a_limit_of_zero() {
        let failed = &[(TriggerType::Scheduled, RunStatus::Failed); 3];
        let streak = streak_of(failed).await;
        let limits = |max_failures| RunLimits {
            max_failures,
            ..RunLimits::default()
        };
        assert!(streak.is_broken(&limits(3)));
        assert!(!streak.is_broken(&limits(4)));
        assert!(Streak::default().is_broken(&limits(0)));
    }

    #[tokio::test]
    async fn a_source_waits_after_its_latest_failure() {
        let failed = &[(TriggerType::Scheduled, RunStatus::Failed); 2];
        let streak = streak_of(failed).await;
        let now = OffsetDateTime::now_utc();
        let limits = RunLimits::default();
        assert!(streak.is_waiting(&limits, now + Duration::from_secs(55)));
        assert!(!streak.is_waiting(&limits, now + Duration::from_secs(61)));
    }
}
