//! The counts of a run: its report, the counts not yet sent to the manager, and its budget of failures.

use std::mem;

use super::Tally;
use crate::run::{Failure, FailureBudget, RunError, RunReport};

#[derive(Debug)]
pub(super) struct Ledger {
    report: RunReport,
    /// Counts not yet sent to the manager.
    uncounted: Tally,
    /// The number of items that the author looked at, including those still in the pipeline.
    looked_at: u64,
    budget: FailureBudget,
    /// The latest failure. The report keeps only the first ones.
    latest: Option<Failure>,
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            report: RunReport::default(),
            uncounted: Tally::NONE,
            looked_at: 0,
            budget: FailureBudget::default().or_environment(),
            latest: None,
        }
    }

    pub(super) fn report(&mut self) -> &mut RunReport {
        &mut self.report
    }

    pub(super) fn set_budget(&mut self, budget: FailureBudget) {
        self.budget = budget.or_environment();
    }

    /// Counts an item that the author looked at, whatever its outcome.
    pub(super) fn look_at(&mut self, tally: Tally) {
        self.looked_at = self.looked_at.saturating_add_signed(tally.scanned.into());
    }

    pub(super) fn count(&mut self, tally: Tally) {
        self.uncounted.add(tally);
        let report = &mut self.report;
        report.scanned = report.scanned.saturating_add_signed(tally.scanned.into());
        report.updated = report.updated.saturating_add_signed(tally.updated.into());
        report.deleted = report.deleted.saturating_add_signed(tally.deleted.into());
    }

    /// Returns the counts since the last call.
    pub(super) fn take_uncounted(&mut self) -> Tally {
        mem::take(&mut self.uncounted)
    }

    /// Counts a content. It was sent, unless the manager already had it.
    pub(super) fn store(&mut self, bytes: usize, was_sent: bool) {
        self.report.bytes += bytes as u64;
        self.report.contents += u64::from(was_sent);
    }

    /// Records a failure. Returns the reason to end the run if the budget is exceeded.
    pub(super) fn fail(&mut self, failure: Failure) -> Result<(), RunError> {
        self.report.fail(failure.clone());
        self.latest = Some(failure.clone());
        self.judge(failure, false)
    }

    /// Returns an error when more items failed than the budget of the whole run allows.
    pub(super) fn judge_at_the_end(&self) -> Result<(), RunError> {
        let latest = self.latest.clone();
        latest.map_or(Ok(()), |latest| self.judge(latest, true))
    }

    fn judge(&self, latest: Failure, at_the_end: bool) -> Result<(), RunError> {
        let (failed, looked_at) = (self.report.failed, self.looked_at);
        if self.budget.is_exceeded(failed, looked_at, at_the_end) {
            return Err(RunError::TooManyFailures {
                failed,
                looked_at,
                latest: Box::new(latest),
            });
        }
        Ok(())
    }
}
