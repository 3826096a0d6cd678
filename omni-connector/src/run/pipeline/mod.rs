//! The ordered, bounded, cancel-safe way of everything a run emits.
//!
//! An author's call puts its item into a queue before it waits for anything, so dropping the call's future loses nothing.
//! One driver task takes items out: contents are stored several at once, events keep their order, batches are sent one
//! after the other, and a barrier (flush, checkpoint) is answered only when everything before it was accepted.

mod driver;
mod line;
mod queue;
mod send;
mod weight;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{sync::oneshot, time::Instant};

pub(crate) use self::queue::Tally;
use self::{
    driver::Driver,
    queue::{Answer, Barrier, Item, Shared, Waiting},
    send::Calls,
};
use super::{
    Failure, FailureBudget, RunError, RunReport,
    content::{Body, Contents},
};
use crate::{
    contract::{BoxFuture, ConnectorEvent, SyncType},
    outgoing::ManagerClient,
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

/// The author's end. Cloning it is cheap; all clones feed the same driver.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    shared: Arc<Shared>,
}

impl Pipeline {
    /// The pipeline of one run, and the task that drives it until [`Pipeline::close`].
    pub(crate) fn start(
        manager: ManagerClient,
        run: Arc<str>,
        source: Arc<str>,
        limits: Limits,
    ) -> Self {
        let shared = Arc::new(Shared::new(limits));
        let contents = Arc::new(Contents::new(manager.clone(), Arc::clone(&run)));
        let calls = Calls {
            manager,
            run,
            source,
        };
        tokio::spawn(Driver::new(Arc::clone(&shared), contents, calls).drive());
        Self { shared }
    }

    /// Hands an event over, to be sent after `body` was stored. It is in the queue when this returns; the future only waits
    /// for room.
    pub(crate) fn emit(
        &self,
        event: ConnectorEvent,
        body: Option<Body>,
        tally: Tally,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        let waiting = Box::new(Waiting {
            weight: weight::weight(&event),
            event,
            tally,
            since: Instant::now(),
        });
        let pushed = self.shared.push(Item::Event(waiting, body));
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { if pushed? { Ok(()) } else { shared.room().await } })
    }

    /// Stores a text, in turn with those of the documents, and returns its id.
    pub(crate) async fn store(&self, body: Body) -> Result<String, RunError> {
        self.ask(|answer| Item::Text(body, answer)).await
    }

    /// Waits until everything before was accepted, and the counters with it.
    pub(crate) async fn flush(&self) -> Result<(), RunError> {
        self.ask(|answer| Item::Barrier(Barrier::Flush(answer)))
            .await
    }

    /// Saves a checkpoint after everything before was accepted.
    pub(crate) async fn checkpoint(&self, checkpoint: Value) -> Result<(), RunError> {
        self.ask(|answer| Item::Barrier(Barrier::Checkpoint(checkpoint, answer)))
            .await
    }

    /// [`flush`](Self::flush), with nothing taken any more that comes after it.
    ///
    /// # Errors
    /// More failed than may.
    pub(crate) async fn finish(&self) -> Result<(), RunError> {
        let (done, answer) = oneshot::channel();
        self.shared.finish(done)?;
        self.answered(answer).await?;
        self.shared
            .judge(None, true)
            .inspect_err(|error| self.shared.close(error.clone()))
    }

    async fn ask<T>(&self, item: impl FnOnce(Answer<T>) -> Item) -> Result<T, RunError> {
        let (done, answer) = oneshot::channel();
        self.shared.push(item(done))?;
        self.answered(answer).await
    }

    async fn answered<T>(
        &self,
        answer: oneshot::Receiver<Result<T, RunError>>,
    ) -> Result<T, RunError> {
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
        self.shared.open()?;
        self.shared.count(tally);
        Ok(())
    }

    /// Records an item that failed before it came here.
    pub(crate) fn fail(&self, failure: Failure) {
        if self.count(Tally::SCAN).is_ok() {
            self.shared.fail(failure);
        }
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
        change(&mut self.shared.report())
    }
}
