//! The ordered, bounded, cancel-safe way of everything a run emits.
//!
//! An author's call puts its item into a queue before it waits for anything, so dropping the call's future loses nothing.
//! One driver task takes items out: contents are stored several at once, events keep their order, batches are sent one
//! after the other, and a barrier (flush, checkpoint) is answered only when everything before it was accepted.

mod driver;
mod queue;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::sync::oneshot;

pub(crate) use self::queue::Tally;
use self::{
    driver::Driver,
    queue::{After, Barrier, Item, Shared},
};
use super::{
    RunError, RunReport,
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
    /// Bytes of content that may wait.
    pub(crate) bytes: usize,
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
            heartbeat: Duration::from_mins(1),
        }
    }
}

/// The author's end. Cloning it is cheap; all clones feed the same driver.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    shared: Arc<Shared>,
    contents: Arc<Contents>,
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
        let driver = Driver::new(
            Arc::clone(&shared),
            Arc::clone(&contents),
            manager,
            run,
            source,
        );
        tokio::spawn(driver.drive());
        Self { shared, contents }
    }

    /// Hands an event over, to be sent after `body` was stored. It is in the queue when this returns; the future only waits
    /// for room.
    pub(crate) fn emit(
        &self,
        event: ConnectorEvent,
        body: Option<Body>,
        tally: Tally,
    ) -> BoxFuture<'static, Result<(), RunError>> {
        let pushed = self.shared.push(Item::Event {
            event: Box::new(event),
            body,
            tally,
        });
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            pushed?;
            shared.room().await
        })
    }

    /// Stores a text now and returns its id.
    pub(crate) async fn store(&self, body: Body) -> Result<String, RunError> {
        self.shared.open()?;
        let bytes = body.len() as u64;
        let (id, sent) = self.contents.store(body).await?;
        self.shared.stored(bytes, sent);
        Ok(id)
    }

    /// Waits until everything before was accepted, and the counters with it.
    pub(crate) async fn flush(&self) -> Result<(), RunError> {
        self.barrier(After::Flush).await
    }

    /// Saves a checkpoint after everything before was accepted.
    pub(crate) async fn checkpoint(&self, checkpoint: Value) -> Result<(), RunError> {
        self.barrier(After::Checkpoint(checkpoint)).await
    }

    async fn barrier(&self, after: After) -> Result<(), RunError> {
        let (done, answer) = oneshot::channel();
        self.shared.push(Item::Barrier(Barrier { after, done }))?;
        // The driver answers every barrier it took, and closing answers the rest.
        answer.await.unwrap_or(Err(RunError::Ended))
    }

    /// Adds to the counters that people see.
    pub(crate) fn count(&self, tally: Tally) -> Result<(), RunError> {
        self.shared.open()?;
        self.shared.count(tally);
        Ok(())
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
