//! The number of items that may fail before the run fails.

use std::{env, str::FromStr};

/// The number of items that may [fail](super::Failure) before the run fails. Skips are intended and do not count.
///
/// The defaults tolerate single broken files, and stop a run when its whole source is broken. An author can set others
/// with [`SyncContext::set_failure_budget`](super::SyncContext::set_failure_budget), for example from the source's
/// config. The environment variables `OMNI_FAILURE_LIMIT` and `OMNI_FAILURE_SHARE_LIMIT` take precedence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FailureBudget {
    /// The run fails when more items than this failed. Default: 10,000.
    pub limit: u64,
    /// The run fails when more than this share of the scanned items failed, between 0 and 1. Default: 0.1. It is
    /// checked once 1,000 items were scanned, and at the end.
    pub share: f64,
    /// The number of failures that never exceed the share. Default: 20. One broken file among three changed ones does
    /// not mean a broken source.
    pub harmless: u64,
}

/// The number of scanned items from which on the share is checked.
const SAMPLE: u64 = 1_000;

impl Default for FailureBudget {
    fn default() -> Self {
        Self {
            limit: 10_000,
            share: 0.1,
            harmless: 20,
        }
    }
}

impl FailureBudget {
    /// A budget that is never exceeded.
    pub const UNLIMITED: Self = Self {
        limit: u64::MAX,
        share: 1.0,
        harmless: u64::MAX,
    };

    /// Returns the budget with the values of the environment variables.
    pub(super) fn or_environment(self) -> Self {
        Self {
            limit: variable("OMNI_FAILURE_LIMIT").unwrap_or(self.limit),
            share: variable("OMNI_FAILURE_SHARE_LIMIT").unwrap_or(self.share),
            ..self
        }
    }

    pub(super) fn is_exceeded(&self, failed: u64, looked_at: u64, at_the_end: bool) -> bool {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a share needs no more than 52 bits"
        )]
        let is_large_share = failed as f64 > self.share * looked_at as f64;
        let is_judged = at_the_end || looked_at >= SAMPLE;
        failed > self.limit || (is_judged && is_large_share && failed > self.harmless)
    }
}

/// Reads an environment variable. An invalid value is ignored with a warning.
pub(super) fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let value = text.parse().ok();
    if value.is_none() {
        tracing::warn!("`{name}` is `{text}`, which is not a number; the default is used");
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_failures_stay_within_the_budget() {
        let budget = FailureBudget::default();
        for (failed, looked_at, at_the_end, exceeded) in [
            (3, 3, true, false),
            (21, 30, false, false),
            (21, 30, true, true),
            (99, 1_000, false, false),
            (101, 1_000, false, true),
            (10_000, 1_000_000, true, false),
            (10_001, 1_000_000, false, true),
        ] {
            assert_eq!(
                budget.is_exceeded(failed, looked_at, at_the_end),
                exceeded,
                "{failed} of {looked_at}"
            );
        }
        assert!(!FailureBudget::UNLIMITED.is_exceeded(1 << 40, 1 << 40, true));
    }
}
