//! Events and barriers that wait to be sent, and the task that sends them.

use std::sync::MutexGuard;

use tokio::{
    sync::futures::Notified,
    time::{Instant, timeout_at},
};

use super::{
    super::{
        Tally,
        line::{Barrier, Barriers, Batch, Waiting},
    },
    Shared, State,
};
use crate::run::{Failure, RunError};

/// The next call to the manager.
#[derive(Debug)]
pub(in crate::run::pipeline) enum Next {
    Batch(Batch),
    Barriers(Barriers),
}

/// The state of the task that sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Works,
    /// Nothing waits to be sent. The first event starts the timer.
    WaitsForFirst,
    /// The timer runs. The task waits for its end or for a full batch.
    WaitsForMore,
    /// A batch is being sent, and the next one is not full.
    WaitsForFull,
}

impl Shared {
    /// Queues an event that is ready to be sent. Returns whether there is room for another.
    pub(in crate::run::pipeline) fn push_event(&self, waiting: Waiting) -> Result<bool, RunError> {
        let mut state = self.state();
        state.accepting()?;
        let has_room = state.take(&self.limits, waiting.weight);
        state.ledger.look_at(waiting.tally);
        state.line.push_event(waiting);
        self.wake_sender(state);
        Ok(has_room)
    }

    /// Queues a barrier. After one with `finishes`, only barriers are accepted.
    pub(in crate::run::pipeline) fn push_barrier(
        &self,
        barrier: Barrier,
        finishes: bool,
    ) -> Result<(), RunError> {
        let mut state = self.state();
        state.open()?;
        state.finishing |= finishes;
        state.take(&self.limits, 0);
        state.line.push_barrier(barrier);
        self.wake_sender(state);
        Ok(())
    }

    pub(super) fn wake_sender(&self, mut state: MutexGuard<'_, State>) {
        let oldest = state.line.oldest().is_some();
        let wakes = match state.sender {
            Sender::Works => false,
            Sender::WaitsForFirst => oldest || state.line.is_due(&self.limits),
            Sender::WaitsForMore => state.line.is_due(&self.limits),
            Sender::WaitsForFull => state.line.is_full(),
        };
        if wakes {
            state.sender = Sender::Works;
            drop(state);
            self.due.notify_one();
        }
    }

    /// Waits for the next call to make.
    pub(in crate::run::pipeline) async fn next_call(&self) -> Next {
        loop {
            let oldest = {
                let mut state = self.state();
                if state.line.is_at_barrier() {
                    return Next::Barriers(state.line.take_barriers());
                }
                if state.line.is_due(&self.limits) {
                    return Next::Batch(state.line.take_batch());
                }
                let oldest = state.line.oldest();
                state.sender = match oldest {
                    Some(_) => Sender::WaitsForMore,
                    None => Sender::WaitsForFirst,
                };
                oldest
            };
            let due: Notified<'_> = self.due.notified();
            match oldest {
                Some(oldest) => {
                    let _ = timeout_at(oldest + self.limits.max_age, due).await;
                }
                None => due.await,
            }
        }
    }

    /// Waits until the next batch is full, while another is being sent. Nothing is lost when this future is dropped.
    pub(in crate::run::pipeline) async fn next_full_batch(&self) -> Batch {
        loop {
            {
                let mut state = self.state();
                if state.line.is_full() {
                    state.sender = Sender::Works;
                    return state.line.take_batch();
                }
                state.sender = Sender::WaitsForFull;
            }
            self.due.notified().await;
        }
    }

    /// Records the outcome of items that were sent.
    pub(in crate::run::pipeline) fn sent(
        &self,
        items: usize,
        bytes: usize,
        accepted: Tally,
        failures: Vec<Failure>,
    ) {
        failures.iter().for_each(Failure::log);
        let judged = {
            let mut state = self.state();
            self.leave(&mut state, items, bytes);
            state.touched_at = Instant::now();
            state.ledger.count(accepted);
            let mut judged = Ok(());
            for failure in failures {
                judged = judged.and(state.ledger.fail(failure));
            }
            judged
        };
        if let Err(reason) = judged {
            self.close(reason);
        }
    }

    /// Records barriers that were answered.
    pub(in crate::run::pipeline) fn passed(&self, barriers: usize, has_saved: bool) {
        let mut state = self.state();
        self.leave(&mut state, barriers, 0);
        state.has_saved |= has_saved;
    }
}
