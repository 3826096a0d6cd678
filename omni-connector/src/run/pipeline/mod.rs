//! The ordered, bounded, cancel-safe way of everything a run emits.
//!
//! An author's call gives its item a place in the line before it waits for anything, so dropping the call's future loses
//! nothing. Contents are stored by several tasks at once; their events keep their places. One task sends: batches one after
//! the other, and a barrier (flush, checkpoint) is answered only when everything before it was accepted.

#[cfg(test)]
mod clock;
mod ledger;
mod line;
mod send;
mod shared;
mod spent;
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
    wire::{ConnectorEvent, SyncType},
};
use futures_util::future::BoxFuture;
pub(crate) use tally::Tally;
use {
    line::{Barrier, Waiting},
    send::Sender,
    shared::{Answer, Kind, Shared},
    spent::Spent,
};

/// When a batch is sent, and how much may wait. The thresholds of each mode are the protocol's (§10).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// A batch is sent when this many events wait…
    pub(crate) batch_at: usize,
    /// …or when the oldest has waited this long.
    pub(crate) max_age: Duration,
    /// Items that may wait, from the author's call until the manager accepted them.
    pub(crate) items: usize,
    /// Bytes of content and events that may wait.
    pub(crate) bytes: usize,
    /// Texts being stored at once.
    pub(crate) stores: usize,
    /// A run that has been silent for this long says that it is alive.
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

/// Extractions at once; the manager has permits for two (`protocol.md` §1.3).
const EXTRACTIONS: usize = 2;

/// The author's end. Cloning it is cheap; all clones feed the same line.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    shared: Arc<Shared>,
    spent: Arc<Spent>,
}

impl Pipeline {
    /// The pipeline of one run, and the tasks that work for it until [`Pipeline::close`].
    pub(crate) fn start(
        manager: ManagerClient,
        run: Arc<str>,
        source: &str,
        limits: Limits,
        keeper: Arc<Keeper>,
    ) -> Self {
        let shared = Arc::new(Shared::new(limits));
        let contents = Arc::new(Contents::new(manager.clone(), Arc::clone(&run)));
        let spent = Arc::new(Spent::default());
        let encoder = EventEncoder::new(&run, source);
        let sender = Sender::new(shared.clone(), manager, run, encoder, spent.clone(), keeper);
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
            // They end by a panic only, and without one of them somebody would wait for ever. Dropping them aborts what is
            // under way.
            tokio::select! {
                _ = closing.closed() => {}
                _ = tasks.join_next() => closing.close(RunError::Ended),
            }
        });
        Self { shared, spent }
    }

    /// Hands an event over, to be sent after `body` was stored. It is in the queue when this returns; the future only waits
    /// for room.
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
            event: self.spent.replace(event),
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

    /// Stores a text, in turn with those of the documents, and returns its id.
    pub(crate) async fn store(&self, body: Body) -> Result<String, RunError> {
        self.ask(|answer| self.shared.push_content(body, answer))
            .await
    }

    /// Waits until everything before was accepted, and the counters with it.
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

    /// [`checkpoint`](Self::checkpoint) without waiting; the outcome, which never comes once the pipeline is closed.
    pub(crate) fn begin_checkpoint(
        &self,
        checkpoint: Snapshot,
    ) -> Result<oneshot::Receiver<Result<(), RunError>>, RunError> {
        let (done, answer) = oneshot::channel();
        let barrier = Barrier::Checkpoint(checkpoint, done);
        self.shared.push_barrier(barrier, false)?;
        Ok(answer)
    }

    /// Saves what the kept checkpoint is by now, after everything before was accepted.
    pub(crate) async fn save_kept(&self) -> Result<(), RunError> {
        self.ask(|answer| self.shared.push_barrier(Barrier::Again(answer), false))
            .await
    }

    /// [`flush`](Self::flush), with nothing taken any more that comes after it.
    ///
    /// # Errors
    /// More failed than may.
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
        // Closing drops what is not answered.
        let closed = || Err(self.refusal().unwrap_or(RunError::Ended));
        answer.await.unwrap_or_else(|_| closed())
    }

    /// Whether a checkpoint of this run was accepted.
    pub(crate) fn has_saved(&self) -> bool {
        self.shared.has_saved()
    }

    /// Adds to the counters that people see.
    pub(crate) fn count(&self, tally: Tally) -> Result<(), RunError> {
        self.shared.count(tally)
    }

    /// Records an item that failed before it came here.
    pub(crate) fn fail(&self, failure: Failure) {
        // A run that is over records nothing any more, and the author hears of too many failures from the next call.
        let _ = self.shared.fail(failure);
    }

    /// Names an item that failed in an earlier run and is still missing. It does not count against the budget of this one.
    pub(crate) fn remember(&self, failure: Failure) {
        self.report(|report| report.fail(failure));
    }

    /// How many items may fail.
    pub(crate) fn set_budget(&self, budget: FailureBudget) {
        self.shared.set_budget(budget);
    }

    /// Refuses everything from now on and drops what waits.
    pub(crate) fn close(&self, reason: RunError) {
        self.shared.close(reason);
    }

    /// Why the pipeline is closed, if it is.
    pub(crate) fn refusal(&self) -> Option<RunError> {
        self.shared.open().err()
    }

    /// Ends when the pipeline is closed, from either side; why.
    pub(crate) async fn closed(&self) -> RunError {
        self.shared.closed().await
    }

    /// Changes the report.
    pub(crate) fn report<T>(&self, change: impl FnOnce(&mut RunReport) -> T) -> T {
        self.shared.report(change)
    }
}
