//! The pipeline of a run's events: ordered, bounded and safe to cancel.
//!
//! An author's call reserves a place in the line before it waits, so dropping the call's future loses nothing. Several
//! tasks store contents at once; the events keep their places. One task sends batches, one after the other. It answers
//! a barrier (flush, checkpoint) only when everything before it was accepted.

#[cfg(test)]
mod clock;
mod ledger;
mod line;
mod recycled;
mod send;
mod shared;
mod store;
mod tally;
mod weight;

use std::{iter, sync::Arc, time::Duration};

use tokio::{sync::oneshot, task::JoinSet, time::Instant};
use tracing::Instrument;

use super::{
    Failure, FailureBudget, RunError, RunReport,
    content::{Body, Contents},
    keeper::{Keeper, Snapshot},
    receipt::Receipt,
};
use crate::{
    manager::{EventEncoder, ManagerClient},
    redact::Secrets,
    wire::{ConnectorEvent, SyncType},
};
use futures_util::future::BoxFuture;
pub(crate) use tally::Tally;
use {
    line::{Barrier, Waiting},
    recycled::Recycled,
    send::Sender,
    shared::{Answer, Kind, Shared},
};

/// The thresholds for sending a batch, and the limits of the pipeline. The thresholds of each mode come from
/// `protocol.md` §10.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// A batch is sent when this many events wait,
    pub(crate) batch_at: usize,
    /// or when the oldest has waited this long.
    pub(crate) max_age: Duration,
    /// The limit of items between the author's call and the manager's acceptance.
    pub(crate) items: usize,
    /// The limit of the bytes of these items, contents included.
    pub(crate) bytes: usize,
    /// The number of texts stored at once.
    pub(crate) stores: usize,
    /// A heartbeat is sent after this long without a call.
    pub(crate) heartbeat: Duration,
}

impl Limits {
    pub(crate) const fn of(mode: SyncType) -> Self {
        let (batch_at, max_age) = match mode {
            SyncType::Full => (500, Duration::from_mins(5)),
            SyncType::Incremental => (100, Duration::from_mins(1)),
            SyncType::Realtime => (1, Duration::ZERO),
        };
        Self {
            batch_at,
            max_age,
            items: 2_000,
            bytes: 32 << 20,
            stores: 16,
            heartbeat: Duration::from_mins(1),
        }
    }
}

/// The number of extractions at once. The manager has permits for two (`protocol.md` §1.3).
const EXTRACTIONS: usize = 2;

/// The handle of a run's pipeline. Cloning it is cheap; all clones feed the same line.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    shared: Arc<Shared>,
    recycled: Arc<Recycled>,
}

impl Pipeline {
    /// Starts the pipeline of one run. Its tasks work until [`Pipeline::close`].
    pub(crate) fn start(
        manager: ManagerClient,
        run: Arc<str>,
        source: &str,
        limits: Limits,
        secrets: Arc<Secrets>,
        keeper: Arc<Keeper>,
    ) -> Self {
        let shared = Arc::new(Shared::new(limits, secrets));
        let contents = Arc::new(Contents::new(manager.clone(), Arc::clone(&run)));
        let recycled = Arc::new(Recycled::default());
        let encoder = EventEncoder::new(&run, source);
        let sender = Sender::new(
            shared.clone(),
            manager,
            run,
            encoder,
            recycled.clone(),
            keeper,
        );
        let sender = Arc::new(sender);
        let mut tasks = JoinSet::new();
        let texts = iter::repeat_n(Kind::Text, limits.stores);
        for kind in texts.chain(iter::repeat_n(Kind::Extraction, EXTRACTIONS)) {
            let (shared, contents) = (shared.clone(), contents.clone());
            let work = async move { store::store(&shared, &contents, kind).await };
            tasks.spawn(work.in_current_span());
        }
        let reporter = Arc::clone(&sender);
        tasks.spawn(async move { reporter.report().await }.in_current_span());
        tasks.spawn(async move { sender.send().await }.in_current_span());
        let closing = Arc::clone(&shared);
        tokio::spawn(async move {
            // A task ends only by a panic. Callers would then wait forever, so the pipeline is closed. Dropping the
            // tasks aborts their calls.
            tokio::select! {
                _ = closing.closed() => {}
                _ = tasks.join_next() => closing.close(RunError::Ended),
            }
        });
        Self { shared, recycled }
    }

    /// Queues an event, to be sent after `body` was stored. The event is in the queue when this returns; the future
    /// only waits for room.
    #[inline]
    pub(crate) fn emit(
        &self,
        event: ConnectorEvent,
        body: Option<Body>,
        tally: Tally,
        receipt: Receipt,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        let waiting = Waiting {
            weight: weight::weight(&event),
            event: self.recycled.replace(event),
            tally,
            receipt,
            since: Instant::now(),
        };
        let pushed = match body {
            Some(body) => self.shared.push_document(waiting, body),
            None => self.shared.push_event(waiting),
        };
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { if pushed? { Ok(()) } else { shared.room().await } })
    }

    /// Stores a text, in order with the texts of documents, and returns its id.
    pub(crate) async fn store(&self, body: Body) -> Result<String, RunError> {
        self.ask(|answer| self.shared.push_content(body, answer))
            .await
    }

    /// Waits until everything before was accepted, including the counters.
    pub(crate) async fn flush(&self) -> Result<(), RunError> {
        self.ask(|answer| self.shared.push_barrier(Barrier::Flush(answer), false))
            .await
    }

    /// Saves a checkpoint after everything before was accepted.
    pub(crate) async fn checkpoint(&self, checkpoint: Snapshot) -> Result<(), RunError> {
        self.ask(|answer| {
            let barrier = Barrier::Checkpoint(checkpoint, answer);
            self.shared.push_barrier(barrier, false)
        })
        .await
    }

    /// Begins a [`checkpoint`](Self::checkpoint) without waiting. Returns the receiver of its outcome, which gets none
    /// once the pipeline is closed.
    pub(crate) fn begin_checkpoint(
        &self,
        checkpoint: Snapshot,
    ) -> Result<oneshot::Receiver<Result<(), RunError>>, RunError> {
        let (done, answer) = oneshot::channel();
        let barrier = Barrier::Checkpoint(checkpoint, done);
        self.shared.push_barrier(barrier, false)?;
        Ok(answer)
    }

    /// Saves the current state of the kept checkpoint, after everything before was accepted.
    pub(crate) async fn save_kept(&self) -> Result<(), RunError> {
        self.ask(|answer| self.shared.push_barrier(Barrier::Again(answer), false))
            .await
    }

    /// [Flushes](Self::flush), and refuses everything emitted later.
    ///
    /// # Errors
    /// More items failed than the budget allows.
    pub(crate) async fn finish(&self) -> Result<(), RunError> {
        self.ask(|answer| self.shared.push_barrier(Barrier::Flush(answer), true))
            .await?;
        self.shared
            .judge()
            .inspect_err(|reason| self.shared.close(reason.clone()))
    }

    async fn ask<T>(
        &self,
        push: impl FnOnce(Answer<T>) -> Result<(), RunError>,
    ) -> Result<T, RunError> {
        let (done, answer) = oneshot::channel();
        push(done)?;
        // Closing drops unanswered requests.
        let closed = || Err(self.refusal().unwrap_or(RunError::Ended));
        answer.await.unwrap_or_else(|_| closed())
    }

    /// Returns whether the manager accepted a checkpoint of this run.
    pub(crate) fn has_saved(&self) -> bool {
        self.shared.has_saved()
    }

    /// Adds to the counters that people see.
    pub(crate) fn count(&self, tally: Tally) -> Result<(), RunError> {
        self.shared.count(tally)
    }

    /// Records an item that failed before it was emitted.
    pub(crate) fn fail(&self, failure: Failure) {
        // A closed run records nothing. The author's next call returns the error of an exceeded budget.
        let _ = self.shared.fail(failure);
    }

    /// Reports an item that failed in an earlier run and is still missing. It does not count against the budget of this
    /// run.
    pub(crate) fn remember(&self, failure: Failure) {
        self.report(|report| report.fail(failure));
    }

    /// Sets how many items may fail.
    pub(crate) fn set_budget(&self, budget: FailureBudget) {
        self.shared.set_budget(budget);
    }

    /// Refuses everything from now on, and drops everything that waits.
    pub(crate) fn close(&self, reason: RunError) {
        self.shared.close(reason);
    }

    /// Returns why the pipeline is closed, if it is.
    pub(crate) fn refusal(&self) -> Option<RunError> {
        self.shared.open().err()
    }

    /// Waits until the pipeline is closed, by the author's side or by its own tasks. Returns the reason.
    pub(crate) async fn closed(&self) -> RunError {
        self.shared.closed().await
    }

    /// Changes the report.
    pub(crate) fn report<T>(&self, change: impl FnOnce(&mut RunReport) -> T) -> T {
        self.shared.report(change)
    }
}
