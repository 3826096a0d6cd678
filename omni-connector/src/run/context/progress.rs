//! Failures, skips and counts: what people read about a run.

use std::{borrow::Cow, fmt::Display, sync::Arc};

use super::SyncContext;
use crate::run::{
    Failure, FailureBudget, RunError, RunReport, Stage, pipeline::Tally, requests::RequestLog,
};

impl SyncContext {
    /// Counts an item that was scanned and need not be sent.
    pub(in crate::run) fn looked_at(&self) {
        // A closed run counts nothing.
        let _ = self.inner.pipeline.count(Tally::SCAN);
    }

    /// Reports an item that should have arrived and failed, for example because it could not be read. The run continues
    /// within its [budget](Self::set_failure_budget). `link` is where people find the item.
    pub fn item_failed(&self, item: impl Into<String>, cause: impl Display, link: Option<&str>) {
        self.fail_item(self.read_failure(&item.into(), &cause.to_string(), link));
    }

    /// Describes the failure of an item that could not be read, without secrets.
    pub(in crate::run) fn read_failure(
        &self,
        item: &str,
        cause: &str,
        link: Option<&str>,
    ) -> Failure {
        let secrets = &self.inner.secrets;
        Failure {
            item: secrets.redact(item),
            stage: Stage::Read,
            cause: secrets.redact(cause),
            link: link.map(|link| secrets.redact(link)),
        }
    }

    /// Records the failure of an item that was not emitted.
    pub(in crate::run) fn fail_item(&self, failure: Failure) {
        self.scope.fail();
        self.inner.pipeline.fail(failure);
    }

    /// Sets how many items may fail before the run fails. Replaces the [defaults](FailureBudget::default).
    pub fn set_failure_budget(&self, budget: FailureBudget) {
        self.inner.pipeline.set_budget(budget);
    }

    /// Skips an item on purpose, and says why. Use the same sentence for all items with this reason: the report counts
    /// items by reason.
    pub fn skip(&self, item: impl Into<String>, reason: impl Into<Cow<'static, str>>) {
        self.record_skip(item.into(), reason.into().into_owned(), None);
    }

    /// Skips an item like [`skip`](Self::skip), with a detail about this item.
    pub fn skip_with(
        &self,
        item: impl Into<String>,
        reason: impl Into<Cow<'static, str>>,
        detail: impl Display,
    ) {
        self.record_skip(
            item.into(),
            reason.into().into_owned(),
            Some(detail.to_string()),
        );
    }

    fn record_skip(&self, item: String, reason: String, detail: Option<String>) {
        let clean = |text: String| self.inner.secrets.redact(&text);
        let (item, reason, detail) = (clean(item), clean(reason), detail.map(clean));
        tracing::debug!(item, reason, detail, "skipped");
        self.looked_at();
        self.inner
            .pipeline
            .report(|report| report.skip(item, reason, || detail));
    }

    /// Shows people the item that the run is working on.
    pub fn working_on(&self, item: &str) {
        self.inner
            .pipeline
            .report(|report| match &mut report.current {
                Some(current) => item.clone_into(current),
                none => *none = Some(item.to_owned()),
            });
    }

    /// Returns the log of requests to the source, if the process keeps one.
    pub(crate) fn requests(&self) -> Option<&Arc<RequestLog>> {
        self.inner.requests.as_ref()
    }

    /// Removes the secrets of the run from a text.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        self.inner.secrets.redact(text)
    }

    /// Notes that a function with `#[refetch]` is called for the wanted item.
    pub(crate) fn note_refetch(&self) {
        self.inner
            .pipeline
            .report(|report| report.is_refetch = true);
    }

    /// Shows people what the run waits for. `None` removes it.
    pub(crate) fn set_waiting_for(&self, text: Option<String>) {
        let text = text.map(|text| self.inner.secrets.redact(&text));
        self.inner
            .pipeline
            .report(|report| report.waiting_for = text);
    }

    /// Counts scanned items that are neither emitted nor skipped, above all unchanged ones.
    ///
    /// # Errors
    /// The run is over.
    #[allow(
        clippy::unused_async,
        reason = "published as async; the count itself is sent later, with others"
    )]
    pub async fn increment_scanned(&self, count: i32) -> Result<(), RunError> {
        self.inner.pipeline.count(Tally {
            scanned: count,
            ..Tally::NONE
        })
    }

    /// Counts documents changed by [`emit_event`](Self::emit_event), which does not count itself.
    ///
    /// # Errors
    /// The run is over.
    #[allow(
        clippy::unused_async,
        reason = "published as async; the count itself is sent later, with others"
    )]
    pub async fn increment_updated(&self, count: i32) -> Result<(), RunError> {
        self.inner.pipeline.count(Tally {
            updated: count,
            ..Tally::NONE
        })
    }

    /// Sends a heartbeat. The runtime does so whenever a run was silent for a minute.
    ///
    /// # Errors
    /// The manager cannot be reached.
    pub async fn heartbeat(&self) -> Result<(), RunError> {
        if let Some(reason) = self.inner.pipeline.refusal() {
            return Err(reason);
        }
        Ok(self.inner.manager.heartbeat(&self.inner.run).await?)
    }

    /// Returns a report of the run so far.
    pub fn report(&self) -> RunReport {
        let mut report = self.inner.pipeline.report(|report| report.clone());
        report.current = report.current.map(|current| self.clean(&current));
        report
    }

    /// Reads the [`report`](Self::report) without copying it.
    pub(crate) fn read_report<T>(&self, read: impl FnOnce(&RunReport) -> T) -> T {
        self.inner.pipeline.report(|report| read(report))
    }
}
