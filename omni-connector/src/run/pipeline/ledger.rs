//! What a run counts: its report, what the manager is still to be told, and how many failures it may have.

use std::mem;

use super::Tally;
use crate::run::{Failure, FailureBudget, RunError, RunReport};

#[derive(Debug)]
pub(super) struct Ledger {
    report: RunReport,
    /// Counted, and not yet sent to the manager.
    uncounted: Tally,
    /// Items that the author has looked at, those on their way included.
    looked_at: u64,
    budget: FailureBudget,
    /// The latest failure; the report has the first ones.
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

    /// The author has looked at an item, whatever becomes of it.
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

    /// What was counted since the last call.
    pub(super) fn take_uncounted(&mut self) -> Tally {
        mem::take(&mut self.uncounted)
    }

    /// A content left this process, or would have if the manager had not had it.
    pub(super) fn store(&mut self, bytes: usize, was_sent: bool) {
        self.report.bytes += bytes as u64;
        self.report.contents += u64::from(was_sent);
    }

    /// Records a failure; why the run must end if it is one too many.
    pub(super) fn fail(&mut self, failure: Failure) -> Result<(), RunError> {
        self.report.fail(failure.clone());
        self.latest = Some(failure.clone());
        self.judge(failure, false)
    }

    /// An error when more failed than a whole run may lose.
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
