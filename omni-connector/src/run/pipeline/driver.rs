//! The one task that moves a run's items to the manager.

use std::{
    collections::VecDeque, future, panic::resume_unwind, pin::pin, sync::Arc, time::Duration,
};

use axum::http::StatusCode;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    line::{Barriers, Line},
    queue::{Answer, Item, Shared, Tally, Waiting},
    send::{Calls, Encoded, SentBatch},
};
use crate::{
    contract::{BoxFuture, ConnectorEvent},
    outgoing::ManagerError,
    run::{
        Failure, RunError, Stage,
        content::{Body, Contents},
    },
};

/// The counters are sent at most this often.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// A content that was stored, or not.
struct Stored {
    owner: Owner,
    bytes: usize,
    is_text: bool,
    /// Its id, and whether it had to be sent.
    outcome: Result<(String, bool), ManagerError>,
}

/// Whose content it is.
enum Owner {
    /// The event at this place in the line.
    Event(u64, Box<Waiting>),
    /// A caller who waits for the id.
    Caller(Answer<String>),
}

/// How the one call in flight ended.
enum Sent {
    Batch(SentBatch),
    Barriers {
        answers: Vec<Answer>,
        is_checkpoint: bool,
        outcome: Result<(), ManagerError>,
    },
}

pub(super) struct Driver {
    shared: Arc<Shared>,
    contents: Arc<Contents>,
    calls: Calls,
    /// Taken out of the queue, and waiting for a store to be free.
    arrivals: VecDeque<Item>,
    line: Line,
    stores: JoinSet<Stored>,
    /// Texts among the stores. Extractions are bounded elsewhere, and must not hold up texts for hours.
    texts: usize,
    /// Goes out when the call in flight has ended.
    next: Option<Encoded>,
    sending: Option<BoxFuture<'static, Sent>>,
    /// Callers whose checkpoint was passed by a later one, which answers them.
    superseded: Vec<Answer>,
    /// Counters or a heartbeat under way beside the events.
    aside: Option<BoxFuture<'static, ()>>,
    counted_at: Instant,
    touched_at: Instant,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, contents: Arc<Contents>, calls: Calls) -> Self {
        let now = Instant::now();
        Self {
            shared,
            contents,
            calls,
            arrivals: VecDeque::new(),
            line: Line::default(),
            stores: JoinSet::new(),
            texts: 0,
            next: None,
            sending: None,
            superseded: Vec::new(),
            aside: None,
            counted_at: now,
            touched_at: now,
        }
    }

    /// Runs until the pipeline is closed. Dropping what is under way aborts it.
    pub(super) async fn drive(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut closed = pin!(shared.closed());
        let mut alarm = pin!(sleep_until(self.wake_at()));
        loop {
            self.admit();
            self.send();
            self.report();
            // Setting the timer costs more than waking too early once.
            let wake_at = self.wake_at();
            if wake_at < alarm.deadline() || alarm.is_elapsed() {
                alarm.as_mut().reset(wake_at);
            }
            tokio::select! {
                _ = &mut closed => break,
                () = shared.arrived.notified(), if self.arrivals.is_empty() => {}
                Some(stored) = self.stores.join_next() => match stored {
                    Ok(stored) => self.on_stored(stored),
                    // Only a panic while encoding gets here, and there is no better answer to it.
                    Err(error) => resume_unwind(error.into_panic()),
                },
                sent = poll(&mut self.sending) => self.on_sent(sent),
                () = poll(&mut self.aside) => self.touched_at = Instant::now(),
                () = &mut alarm => {}
            }
        }
    }

    /// Takes items out of the queue, as many as may be under way.
    fn admit(&mut self) {
        loop {
            while self.texts < self.shared.limits.stores {
                let Some(item) = self.arrivals.pop_front() else {
                    break;
                };
                match item {
                    Item::Event(waiting, None) => self.line.push_event(waiting),
                    Item::Event(waiting, Some(body)) => {
                        let place = self.line.reserve();
                        self.store(Owner::Event(place, waiting), body);
                    }
                    Item::Text(body, answer) => self.store(Owner::Caller(answer), body),
                    Item::Barrier(barrier) => self.line.push_barrier(barrier),
                }
            }
            if !self.arrivals.is_empty() {
                return;
            }
            self.shared.take(&mut self.arrivals);
            if self.arrivals.is_empty() {
                return;
            }
        }
    }

    /// Stores a content in a task of its own, so that several are encoded at once.
    fn store(&mut self, owner: Owner, body: Body) {
        let contents = Arc::clone(&self.contents);
        let (bytes, is_text) = (body.len(), matches!(body, Body::Text(_)));
        self.texts += usize::from(is_text);
        self.stores.spawn(async move {
            Stored {
                outcome: contents.store(body).await,
                owner,
                bytes,
                is_text,
            }
        });
    }

    fn on_stored(&mut self, stored: Stored) {
        let Stored {
            owner,
            bytes,
            is_text,
            outcome,
        } = stored;
        self.texts -= usize::from(is_text);
        let outcome = outcome.map(|(id, sent)| {
            self.shared.stored(bytes, sent);
            if sent {
                self.touched_at = Instant::now();
            }
            id
        });
        match owner {
            Owner::Event(place, waiting) => {
                self.shared.release(0, bytes);
                self.on_stored_for(place, waiting, outcome);
            }
            Owner::Caller(answer) => {
                self.shared.release(1, bytes);
                if let Err(error) = &outcome
                    && stage_of(error).is_none()
                {
                    self.shared.close(error.clone().into());
                }
                let _ = answer.send(outcome.map_err(RunError::from));
            }
        }
    }

    fn on_stored_for(
        &mut self,
        place: u64,
        mut waiting: Box<Waiting>,
        outcome: Result<String, ManagerError>,
    ) {
        match outcome {
            Ok(id) => {
                if let ConnectorEvent::DocumentCreated { content_id, .. }
                | ConnectorEvent::DocumentUpdated { content_id, .. } = &mut waiting.event
                {
                    *content_id = id;
                }
                self.line.settle(place, Some(waiting));
            }
            Err(error) => match stage_of(&error) {
                Some(stage) => {
                    self.line.settle(place, None);
                    self.shared.release(1, waiting.weight);
                    self.shared.accepted(Tally::SCAN);
                    let failure = Failure::of(&waiting.event, stage, error.to_string());
                    self.shared.fail(failure);
                }
                None => self.shared.close(error.into()),
            },
        }
    }

    /// Starts the next call if none is in flight and one is due; prepares the one after it otherwise.
    fn send(&mut self) {
        if self.sending.is_some() {
            if self.next.is_none() && self.line.oldest().is_some() && self.line.is_full() {
                self.next = Some(self.take_batch());
            }
        } else if let Some(batch) = self.next.take() {
            self.send_batch(batch);
        } else if self.line.is_at_barrier() {
            // A flush promises the counters, too: those that are under way first, then what was counted since.
            if self.aside.is_none() || !self.line.is_at_flush() {
                self.send_barriers();
            }
        } else if self.line.is_due(&self.shared.limits) {
            let batch = self.take_batch();
            self.send_batch(batch);
        }
    }

    fn take_batch(&mut self) -> Encoded {
        let batch = self.line.take_batch();
        self.superseded.extend(batch.superseded);
        self.calls.encode(batch.events)
    }

    fn send_batch(&mut self, batch: Encoded) {
        let sent = self.calls.clone().send(batch);
        self.sending = Some(Box::pin(async move { Sent::Batch(sent.await) }));
    }

    fn send_barriers(&mut self) {
        let Barriers {
            flushes,
            saves,
            checkpoint,
        } = self.line.take_barriers();
        let tally = if flushes.is_empty() {
            Tally::NONE
        } else {
            self.shared.take_uncounted()
        };
        let mut answers = flushes;
        answers.extend(saves);
        if checkpoint.is_some() {
            answers.append(&mut self.superseded);
        }
        let calls = self.calls.clone();
        self.sending = Some(Box::pin(async move {
            calls.count(tally).await;
            let outcome = match &checkpoint {
                Some(checkpoint) => calls.save(checkpoint).await,
                None => Ok(()),
            };
            Sent::Barriers {
                answers,
                is_checkpoint: checkpoint.is_some(),
                outcome,
            }
        }));
    }

    fn on_sent(&mut self, sent: Sent) {
        let outcome = match sent {
            Sent::Batch(sent) => {
                self.shared.release(sent.items, sent.weight);
                self.shared.accepted(sent.accepted);
                for failure in sent.failures {
                    self.shared.fail(failure);
                }
                sent.outcome
            }
            Sent::Barriers {
                answers,
                is_checkpoint,
                outcome,
            } => {
                self.shared.release(answers.len(), 0);
                if is_checkpoint && outcome.is_ok() {
                    self.shared.saved();
                }
                for answer in answers {
                    let _ = answer.send(outcome.clone().map_err(RunError::from));
                }
                outcome
            }
        };
        match outcome {
            Ok(()) => self.touched_at = Instant::now(),
            Err(error) => self.shared.close(error.into()),
        }
    }

    /// Starts sending the counters or a heartbeat when they are due.
    fn report(&mut self) {
        if self.aside.is_some() {
            return;
        }
        let calls = self.calls.clone();
        if self.counted_at.elapsed() >= COUNT_EVERY {
            self.counted_at = Instant::now();
            let tally = self.shared.take_uncounted();
            if tally != Tally::NONE {
                self.aside = Some(Box::pin(async move { calls.count(tally).await }));
                return;
            }
        }
        if self.touched_at.elapsed() >= self.shared.limits.heartbeat {
            self.touched_at = Instant::now();
            self.aside = Some(Box::pin(async move { calls.heartbeat().await }));
        }
    }

    fn wake_at(&self) -> Instant {
        let limits = &self.shared.limits;
        let regular = match self.aside {
            None => (self.touched_at + limits.heartbeat).min(self.counted_at + COUNT_EVERY),
            Some(_) => Instant::now() + COUNT_EVERY,
        };
        // While a call is in flight its end wakes the driver; a batch that is overdue must not make it spin.
        let oldest = self.line.oldest().filter(|_| self.sending.is_none());
        oldest.map_or(regular, |oldest| regular.min(oldest + limits.max_age))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Without a driver nobody would ever be answered. Where there is a reason already, this one is not taken.
        self.shared.close(RunError::Ended);
    }
}

/// Waits for the future in `slot`, for ever if there is none, and empties the slot.
async fn poll<T>(slot: &mut Option<BoxFuture<'static, T>>) -> T {
    match slot {
        Some(future) => {
            let value = future.await;
            *slot = None;
            value
        }
        None => future::pending().await,
    }
}

/// Where one document fails when its content is refused; none when the trouble is not the document's.
fn stage_of(error: &ManagerError) -> Option<Stage> {
    let ManagerError::Refused { status, route, .. } = error else {
        return None;
    };
    let is_extraction = route.contains("extract");
    match *status {
        // A conversion that fails with 500 on every attempt fails for this file.
        StatusCode::INTERNAL_SERVER_ERROR if is_extraction => Some(Stage::Extract),
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNPROCESSABLE_ENTITY => Some(if is_extraction {
            Stage::Extract
        } else {
            Stage::Store
        }),
        _ => None,
    }
}
