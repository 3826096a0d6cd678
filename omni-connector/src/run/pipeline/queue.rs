//! What the author's calls and the driver share: the queue, the counters, and whether the run still takes anything.

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::Limits;
use crate::{
    contract::ConnectorEvent,
    run::{Failure, FailureBudget, RunError, RunReport, content::Body},
};

/// One thing in the queue.
#[derive(Debug)]
pub(super) enum Item {
    /// An event, and what to store before it.
    Event(Box<Waiting>, Option<Body>),
    /// A text to store, and who waits for its id.
    Text(Body, Answer<String>),
    /// Something to do when everything before was accepted.
    Barrier(Barrier),
}

/// An event on its way.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) event: ConnectorEvent,
    pub(super) tally: Tally,
    pub(super) weight: usize,
    pub(super) since: Instant,
}

/// Where the outcome goes. Dropped unsent when the run is closed; the run then says why.
pub(super) type Answer<T = ()> = oneshot::Sender<Result<T, RunError>>;

#[derive(Debug)]
pub(super) enum Barrier {
    /// Nothing but the answer.
    Flush(Answer),
    /// Save this.
    Checkpoint(Value, Answer),
}

/// What an item adds to the counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) scanned: i32,
    pub(crate) updated: i32,
    pub(crate) deleted: i32,
}

impl Tally {
    pub(crate) const NONE: Self = Self {
        scanned: 0,
        updated: 0,
        deleted: 0,
    };
    pub(crate) const UPSERT: Self = Self {
        scanned: 1,
        updated: 1,
        deleted: 0,
    };
    pub(crate) const DELETE: Self = Self {
        scanned: 0,
        updated: 0,
        deleted: 1,
    };
    pub(crate) const SCAN: Self = Self {
        scanned: 1,
        updated: 0,
        deleted: 0,
    };

    pub(super) fn add(&mut self, other: Self) {
        self.scanned = self.scanned.saturating_add(other.scanned);
        self.updated = self.updated.saturating_add(other.updated);
        self.deleted = self.deleted.saturating_add(other.deleted);
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: Limits,
    state: Mutex<State>,
    report: Mutex<RunReport>,
    /// The driver has something to take out of the queue.
    pub(super) arrived: Notify,
    /// Something left for the manager.
    left: Notify,
    closed: CancellationToken,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Item>,
    /// Items and bytes on their way, those in the queue included.
    items: usize,
    bytes: usize,
    /// Counted, and not yet sent to the manager.
    uncounted: Tally,
    /// Items that the author has looked at, those on their way included.
    looked_at: u64,
    budget: FailureBudget,
    /// Whether the run saved a checkpoint.
    saved: bool,
    /// Whether the run is being completed: what is in the queue still goes out, and nothing new comes in.
    finishing: bool,
    closed: Option<RunError>,
}

impl State {
    fn has_room(&self, limits: &Limits) -> bool {
        self.items <= limits.items && self.bytes <= limits.bytes
    }
}

impl Shared {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::new(State {
                queue: VecDeque::new(),
                items: 0,
                bytes: 0,
                uncounted: Tally::NONE,
                looked_at: 0,
                budget: FailureBudget::default().or_environment(),
                saved: false,
                finishing: false,
                closed: None,
            }),
            report: Mutex::default(),
            arrived: Notify::new(),
            left: Notify::new(),
            closed: CancellationToken::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report(&self) -> MutexGuard<'_, RunReport> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error when the run takes nothing any more.
    pub(super) fn open(&self) -> Result<(), RunError> {
        self.state().closed.clone().map_or(Ok(()), Err)
    }

    /// Puts an item into the queue; whether there is room for another.
    pub(super) fn push(&self, item: Item) -> Result<bool, RunError> {
        let (wakes, has_room) = {
            let mut state = self.state();
            // Looked at under the lock: closing empties the queue under it, so nothing can be put in behind its back.
            if let Some(reason) = &state.closed {
                return Err(reason.clone());
            }
            if state.finishing && !matches!(item, Item::Barrier(_)) {
                return Err(RunError::Ended);
            }
            state.items += 1;
            let waits_for_others = match &item {
                Item::Event(waiting, body) => {
                    state.bytes += waiting.weight + body.as_ref().map_or(0, Body::len);
                    state.looked_at = state
                        .looked_at
                        .saturating_add_signed(waiting.tally.scanned.into());
                    body.is_none()
                }
                Item::Text(body, _) => {
                    state.bytes += body.len();
                    false
                }
                Item::Barrier(_) => false,
            };
            state.queue.push_back(item);
            let has_room = state.has_room(&self.limits);
            // An event that needs nothing stored is no work before a batch is full; the driver looks every second anyway.
            let wakes = !waits_for_others || !has_room || state.queue.len() >= self.limits.batch_at;
            (wakes, has_room)
        };
        if wakes {
            self.arrived.notify_one();
        }
        Ok(has_room)
    }

    /// Puts a barrier into the queue after which only barriers are taken.
    pub(super) fn finish(&self, answer: Answer) -> Result<(), RunError> {
        self.state().finishing = true;
        self.push(Item::Barrier(Barrier::Flush(answer))).map(drop)
    }

    /// Everything in the queue, exchanged for `taken`, which is empty.
    pub(super) fn take(&self, taken: &mut VecDeque<Item>) {
        mem::swap(&mut self.state().queue, taken);
    }

    /// Waits until no more is on its way than may be.
    pub(super) async fn room(&self) -> Result<(), RunError> {
        loop {
            let left = self.left.notified();
            {
                let state = self.state();
                if let Some(reason) = &state.closed {
                    return Err(reason.clone());
                }
                if state.has_room(&self.limits) {
                    return Ok(());
                }
            }
            left.await;
        }
    }

    /// Items and bytes that are no longer on their way.
    pub(super) fn release(&self, items: usize, bytes: usize) {
        {
            let mut state = self.state();
            state.items -= items;
            state.bytes -= bytes;
        }
        self.left.notify_waiters();
    }

    /// The author's own counts.
    pub(super) fn count(&self, tally: Tally) {
        {
            let mut state = self.state();
            state.looked_at = state.looked_at.saturating_add_signed(tally.scanned.into());
        }
        self.accepted(tally);
    }

    /// Counts of events that were put into the queue before.
    pub(super) fn accepted(&self, tally: Tally) {
        self.state().uncounted.add(tally);
        let mut report = self.report();
        report.scanned = report.scanned.saturating_add_signed(tally.scanned.into());
        report.updated = report.updated.saturating_add_signed(tally.updated.into());
        report.deleted = report.deleted.saturating_add_signed(tally.deleted.into());
    }

    pub(super) fn stored(&self, bytes: usize, sent: bool) {
        let mut report = self.report();
        report.bytes += bytes as u64;
        report.contents += u64::from(sent);
    }

    /// What was counted since the last call.
    pub(super) fn take_uncounted(&self) -> Tally {
        mem::take(&mut self.state().uncounted)
    }

    pub(super) fn set_budget(&self, budget: FailureBudget) {
        self.state().budget = budget.or_environment();
    }

    /// Records a failure, and closes the run when it is one too many.
    pub(super) fn fail(&self, failure: Failure) {
        tracing::warn!(
            item = failure.item,
            stage = ?failure.stage,
            cause = failure.cause,
            link = failure.link,
            "an item failed"
        );
        self.report().fail(failure.clone());
        if let Err(error) = self.judge(Some(failure), false) {
            self.close(error);
        }
    }

    /// An error when more failed than may.
    pub(super) fn judge(&self, latest: Option<Failure>, at_the_end: bool) -> Result<(), RunError> {
        let (failed, latest) = {
            let report = self.report();
            (
                report.failed,
                latest.or_else(|| report.failures.last().cloned()),
            )
        };
        let (budget, looked_at) = {
            let state = self.state();
            (state.budget, state.looked_at)
        };
        match latest {
            Some(latest) if budget.is_exceeded(failed, looked_at, at_the_end) => {
                Err(RunError::TooManyFailures {
                    failed,
                    looked_at,
                    latest: Box::new(latest),
                })
            }
            _ => Ok(()),
        }
    }

    /// A checkpoint was accepted.
    pub(super) fn saved(&self) {
        self.state().saved = true;
    }

    pub(super) fn has_saved(&self) -> bool {
        self.state().saved
    }

    /// Takes nothing any more, for the first reason that is given. Whoever waits for an answer hears it.
    pub(super) fn close(&self, reason: RunError) {
        let dropped = {
            let mut state = self.state();
            state.closed.get_or_insert(reason);
            mem::take(&mut state.queue)
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
