//! The state that the author's calls and the tasks of a run share: the line, the report, and whether the run is still
//! open. It has one lock, which is never held across an await.

mod calls;
mod jobs;

pub(super) use {
    calls::Next,
    jobs::{Job, Kind, Owner, StoredBody},
};

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{Limits, Tally, ledger::Ledger, line::Line};
use crate::{
    redact::Secrets,
    run::{Failure, FailureBudget, RunError, RunReport, Stage},
    wire::ConnectorEvent,
};
use {calls::Sender, jobs::Lane};

/// The sender of an outcome. It is dropped when the run is closed; the reason is then in the state.
pub(super) type Answer<T = ()> = oneshot::Sender<Result<T, RunError>>;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: Limits,
    state: Mutex<State>,
    /// Notified when a job arrives, by kind.
    jobs: [Notify; 2],
    /// Notified when there is something to send.
    due: Notify,
    /// Notified when something was sent.
    left: Notify,
    closed: CancellationToken,
    /// Secrets that must not appear in the report or the log.
    secrets: Arc<Secrets>,
}

#[derive(Debug)]
struct State {
    line: Line,
    lanes: [Lane; 2],
    sender: Sender,
    /// The number of items in the pipeline, and their bytes.
    items: usize,
    bytes: usize,
    ledger: Ledger,
    /// The time of the last successful call to the manager.
    touched_at: Instant,
    /// Whether the run saved a checkpoint.
    has_saved: bool,
    /// Whether the run is being completed. Pending items are still sent, and new ones are refused.
    finishing: bool,
    closed: Option<RunError>,
}

impl State {
    fn has_room(&self, limits: &Limits) -> bool {
        self.items <= limits.items && self.bytes <= limits.bytes
    }

    fn open(&self) -> Result<(), RunError> {
        self.closed.clone().map_or(Ok(()), Err)
    }

    /// Returns an error when new items are refused.
    fn accepting(&self) -> Result<(), RunError> {
        self.open()?;
        if self.finishing {
            Err(RunError::Ended)
        } else {
            Ok(())
        }
    }

    fn take(&mut self, limits: &Limits, bytes: usize) -> bool {
        self.items += 1;
        self.bytes += bytes;
        self.has_room(limits)
    }
}

impl Shared {
    pub(super) fn new(limits: Limits, secrets: Arc<Secrets>) -> Self {
        Self {
            limits,
            secrets,
            state: Mutex::new(State {
                line: Line::default(),
                lanes: Default::default(),
                sender: Sender::Works,
                items: 0,
                bytes: 0,
                ledger: Ledger::new(),
                touched_at: Instant::now(),
                has_saved: false,
                finishing: false,
                closed: None,
            }),
            jobs: Default::default(),
            due: Notify::new(),
            left: Notify::new(),
            closed: CancellationToken::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an error when the run is closed.
    pub(super) fn open(&self) -> Result<(), RunError> {
        self.state().open()
    }

    /// Removes items and bytes from the counts. Authors are woken only when there is room; otherwise they would check
    /// and wait again.
    fn leave(&self, state: &mut State, items: usize, bytes: usize) {
        state.items -= items;
        state.bytes -= bytes;
        if state.has_room(&self.limits) {
            self.left.notify_waiters();
        }
    }

    /// Describes the failure of an event, without secrets.
    pub(super) fn failure(&self, event: &ConnectorEvent, stage: Stage, cause: &str) -> Failure {
        let clean = |text: &str| self.secrets.redact(text);
        Failure {
            item: clean(event.subject()),
            stage,
            cause: clean(cause),
            link: link_of(event).map(clean),
        }
    }

    /// Waits until the pipeline is within its limits.
    pub(super) async fn room(&self) -> Result<(), RunError> {
        loop {
            let left = self.left.notified();
            {
                let state = self.state();
                state.open()?;
                if state.has_room(&self.limits) {
                    return Ok(());
                }
            }
            left.await;
        }
    }

    /// Adds the author's own counts.
    pub(super) fn count(&self, tally: Tally) -> Result<(), RunError> {
        let mut state = self.state();
        state.open()?;
        state.ledger.look_at(tally);
        state.ledger.count(tally);
        Ok(())
    }

    /// Records an item that failed before it was emitted.
    pub(super) fn fail(&self, failure: Failure) -> Result<(), RunError> {
        failure.log();
        let judged = {
            let mut state = self.state();
            state.open()?;
            state.ledger.look_at(Tally::SCAN);
            state.ledger.count(Tally::SCAN);
            state.ledger.fail(failure)
        };
        judged.inspect_err(|reason| self.close(reason.clone()))
    }

    /// Returns an error when more items failed than the budget of the whole run allows.
    pub(super) fn judge(&self) -> Result<(), RunError> {
        self.state().ledger.judge_at_the_end()
    }

    pub(super) fn set_budget(&self, budget: FailureBudget) {
        self.state().ledger.set_budget(budget);
    }

    /// Returns the counts since the last call.
    pub(super) fn take_uncounted(&self) -> Tally {
        self.state().ledger.take_uncounted()
    }

    /// Notes a successful call to the manager.
    pub(super) fn touch(&self) {
        self.state().touched_at = Instant::now();
    }

    pub(super) fn touched_at(&self) -> Instant {
        self.state().touched_at
    }

    pub(super) fn has_saved(&self) -> bool {
        self.state().has_saved
    }

    pub(super) fn report<T>(&self, change: impl FnOnce(&mut RunReport) -> T) -> T {
        change(self.state().ledger.report())
    }

    /// Closes the run: refuses new items and drops the waiting ones. The first reason counts, and all waiting callers
    /// receive it.
    pub(super) fn close(&self, reason: RunError) {
        let dropped = {
            let mut state = self.state();
            state.closed.get_or_insert(reason);
            let jobs = state.lanes.each_mut().map(|lane| mem::take(&mut lane.jobs));
            (mem::take(&mut state.line), jobs)
        };
        drop(dropped);
        self.closed.cancel();
        self.left.notify_waiters();
    }

    pub(super) async fn closed(&self) -> RunError {
        self.closed.cancelled().await;
        self.open().err().unwrap_or(RunError::Ended)
    }
}

fn link_of(event: &ConnectorEvent) -> Option<&str> {
    match event {
        ConnectorEvent::DocumentCreated { metadata, .. }
        | ConnectorEvent::DocumentUpdated { metadata, .. } => metadata.url.as_deref(),
        _ => None,
    }
}
