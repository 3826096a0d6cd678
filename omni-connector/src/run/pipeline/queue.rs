//! What the author's calls and the driver share: the queue, the counters, and whether the run still takes anything.

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::{Notify, oneshot, watch};

use super::Limits;
use crate::{
    contract::ConnectorEvent,
    run::{RunError, RunReport, content::Body},
};

/// One thing in the queue.
#[derive(Debug)]
pub(super) enum Item {
    /// An event, and what to store before it.
    Event {
        event: Box<ConnectorEvent>,
        body: Option<Body>,
        tally: Tally,
    },
    /// Something to do when everything before was accepted.
    Barrier(Barrier),
}

#[derive(Debug)]
pub(super) struct Barrier {
    pub(super) after: After,
    pub(super) done: oneshot::Sender<Result<(), RunError>>,
}

#[derive(Debug)]
pub(super) enum After {
    /// Nothing but the answer.
    Flush,
    /// Save this.
    Checkpoint(Value),
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
    /// Something was put into the queue.
    pub(super) arrived: Notify,
    /// Something left for the manager.
    left: Notify,
    closed: watch::Sender<Option<RunError>>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Item>,
    /// Items and bytes on their way, those in the queue included.
    items: usize,
    bytes: usize,
    /// Counted, and not yet sent to the manager.
    uncounted: Tally,
}

impl Shared {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
            report: Mutex::default(),
            arrived: Notify::new(),
            left: Notify::new(),
            closed: watch::Sender::new(None),
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
        self.closed.borrow().clone().map_or(Ok(()), Err)
    }

    pub(super) fn push(&self, item: Item) -> Result<(), RunError> {
        {
            let mut state = self.state();
            // Looked at under the lock: closing empties the queue under it, so nothing can be put in behind its back.
            self.open()?;
            state.items += 1;
            if let Item::Event {
                body: Some(body), ..
            } = &item
            {
                state.bytes += body.len();
            }
            state.queue.push_back(item);
        }
        self.arrived.notify_one();
        Ok(())
    }

    pub(super) fn pop(&self) -> Option<Item> {
        self.state().queue.pop_front()
    }

    /// Waits until no more is on its way than may be.
    pub(super) async fn room(&self) -> Result<(), RunError> {
        loop {
            let left = self.left.notified();
            self.open()?;
            {
                let state = self.state();
                if state.items <= self.limits.items && state.bytes <= self.limits.bytes {
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

    pub(super) fn count(&self, tally: Tally) {
        self.state().uncounted.add(tally);
        let mut report = self.report();
        report.scanned = report.scanned.saturating_add_signed(tally.scanned.into());
        report.updated = report.updated.saturating_add_signed(tally.updated.into());
        report.deleted = report.deleted.saturating_add_signed(tally.deleted.into());
    }

    pub(super) fn stored(&self, bytes: u64, sent: bool) {
        let mut report = self.report();
        report.bytes += bytes;
        report.contents += u64::from(sent);
    }

    /// What was counted since the last call.
    pub(super) fn take_uncounted(&self) -> Tally {
        mem::take(&mut self.state().uncounted)
    }

    pub(super) fn close(&self, reason: RunError) {
        let dropped = {
            let mut state = self.state();
            self.closed.send_if_modified(|closed| {
                let first = closed.is_none();
                closed.get_or_insert(reason);
                first
            });
            mem::take(&mut state.queue)
        };
        let reason = self.open().err().unwrap_or(RunError::Ended);
        for item in dropped {
            if let Item::Barrier(barrier) = item {
                let _ = barrier.done.send(Err(reason.clone()));
            }
        }
        self.left.notify_waiters();
    }

    pub(super) async fn closed(&self) -> RunError {
        let mut closed = self.closed.subscribe();
        // The sender lives as long as `self`.
        match closed.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or(RunError::Ended),
            Err(_) => RunError::Ended,
        }
    }
}
