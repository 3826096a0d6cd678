//! Sends batches of events, checkpoints and counters, one call after the other.

use std::{pin::pin, sync::Arc, time::Duration};

use axum::http::StatusCode;
use futures_util::future::{Either, select};
use tokio::{
    sync::Mutex,
    task::yield_now,
    time::{Instant, sleep},
};

use super::{
    Tally,
    line::{Barriers, Batch, Waiting},
    recycled::Recycled,
    shared::{Answer, Next, Shared},
};
use crate::{
    manager::{EventEncoder, ManagerClient, ManagerError},
    run::{RunError, Stage, keeper::Keeper},
    wire::ConnectorEvent,
};

const UNKNOWN_PIECE: &str = "an inventory in use is not in the checkpoint that was saved last\n\
     help: save the checkpoint after adding it, before anything is emitted through it";

/// The shortest time between two updates of the counters.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// A batch and its JSON.
struct Written {
    events: Vec<Waiting>,
    superseded: Vec<Answer>,
    json: Vec<u8>,
}

/// Sends a run's events, checkpoints and counters to the manager.
#[derive(Debug)]
pub(super) struct Sender {
    shared: Arc<Shared>,
    manager: ManagerClient,
    run: Arc<str>,
    encoder: EventEncoder,
    recycled: Arc<Recycled>,
    keeper: Arc<Keeper>,
    /// Held while counters are sent: a flush also waits for these.
    counting: Mutex<()>,
    /// Held while a checkpoint is sent, so that a later one cannot overtake it.
    saving: Mutex<()>,
}

impl Sender {
    pub(super) fn new(
        shared: Arc<Shared>,
        manager: ManagerClient,
        run: Arc<str>,
        encoder: EventEncoder,
        recycled: Arc<Recycled>,
        keeper: Arc<Keeper>,
    ) -> Self {
        Self {
            shared,
            manager,
            run,
            encoder,
            recycled,
            keeper,
            counting: Mutex::new(()),
            saving: Mutex::new(()),
        }
    }

    /// Sends everything that is due, for as long as it is polled.
    pub(super) async fn send(&self) {
        let (mut superseded, mut ahead) = (Vec::new(), None);
        loop {
            let batch = match ahead.take() {
                Some(batch) => batch,
                None => match self.shared.next_call().await {
                    Next::Batch(batch) => self.write(batch),
                    Next::Barriers(barriers) => {
                        let outcome = self.send_barriers(barriers, &mut superseded).await;
                        self.end_on_failure(outcome);
                        continue;
                    }
                },
            };
            if let Err(reason) = self.name(&batch.events).await {
                self.shared.close(reason);
                continue;
            }
            let outcome = self.send_batch(batch, &mut superseded).await;
            self.end_on_failure(outcome.map(|next| ahead = next));
        }
    }

    /// Ends the run if a call for events or checkpoints failed: these must arrive.
    fn end_on_failure(&self, outcome: Result<(), ManagerError>) {
        match outcome {
            Ok(()) => self.shared.touch(),
            Err(error) => self.shared.close(error.into()),
        }
    }

    /// Saves the checkpoint unless it already names every document of a batch. A process can be killed right after the
    /// batch was accepted. Then a checkpoint must know all its documents.
    async fn name(&self, events: &[Waiting]) -> Result<(), RunError> {
        let unnamed = events
            .iter()
            .filter_map(|waiting| waiting.receipt.to_be_named())
            .filter(|(number, _)| !self.keeper.is_named(*number));
        let mut is_needed = false;
        for (_, piece) in unnamed {
            if !self.keeper.has(piece) {
                return Err(RunError::Checkpoint(UNKNOWN_PIECE.to_owned()));
            }
            is_needed = true;
        }
        if is_needed {
            self.save_kept().await?;
            self.shared.passed(0, true);
        }
        Ok(())
    }

    /// Saves the kept checkpoint in its current state.
    async fn save_kept(&self) -> Result<(), ManagerError> {
        let _saving = self.saving.lock().await;
        let started = Instant::now();
        let rendered = self.keeper.render();
        self.manager
            .save_checkpoint(&self.run, &rendered.value)
            .await?;
        self.keeper.saved(&rendered, started.elapsed());
        self.shared.touch();
        Ok(())
    }

    fn write(&self, Batch { events, superseded }: Batch) -> Written {
        let json = self.encoder.batch(events_of(&events));
        Written {
            events,
            superseded,
            json,
        }
    }

    /// Sends a batch. Meanwhile, encodes the next batch if it fills up, and returns it.
    async fn send_batch(
        &self,
        batch: Written,
        superseded: &mut Vec<Answer>,
    ) -> Result<Option<Written>, ManagerError> {
        let Written {
            events,
            json,
            superseded: by_now,
        } = batch;
        superseded.extend(by_now);
        let sending = pin!(self.deliver(events, json));
        let next = pin!(async {
            // Yields first, so that the connection's task can write.
            yield_now().await;
            self.shared.next_full_batch().await
        });
        match select(sending, next).await {
            Either::Left((outcome, _)) => outcome.map(|()| None),
            Either::Right((next, sending)) => {
                let next = self.write(next);
                sending.await.map(|()| Some(next))
            }
        }
    }

    /// Sends events. A batch refused for its format or size is halved until the event at fault is alone. That event is
    /// reported and left out; the others arrive in order.
    async fn deliver(&self, events: Vec<Waiting>, json: Vec<u8>) -> Result<(), ManagerError> {
        let mut parts = vec![(events, json)];
        while let Some((mut events, json)) = parts.pop() {
            let (mut accepted, mut failures) = (Tally::NONE, Vec::new());
            let (outcome, json) = self.manager.send_encoded_events(json).await;
            self.encoder.recycle(json);
            match outcome {
                Ok(()) => events.iter().for_each(|waiting| {
                    accepted.add(waiting.tally);
                    waiting.receipt.accepted(waiting.event.subject());
                }),
                Err(error) if is_about_what_was_sent(&error) => {
                    let [alone] = &events[..] else {
                        let second = events.split_off(events.len() / 2);
                        for half in [second, events] {
                            let json = self.encoder.batch(events_of(&half));
                            parts.push((half, json));
                        }
                        continue;
                    };
                    // The item was scanned, if it counts at all, but not updated.
                    accepted.scanned = alone.tally.scanned;
                    let cause = error.to_string();
                    let failure = self.shared.failure(&alone.event, Stage::Send, &cause);
                    alone.receipt.not_sent(alone.event.subject(), &failure);
                    failures.push(failure);
                }
                Err(error) => return Err(error),
            }
            let weight = events.iter().map(|waiting| waiting.weight).sum();
            self.shared.sent(events.len(), weight, accepted, failures);
            self.recycled.give(events);
        }
        Ok(())
    }

    async fn send_barriers(
        &self,
        barriers: Barriers,
        superseded: &mut Vec<Answer>,
    ) -> Result<(), ManagerError> {
        let Barriers {
            flushes,
            saves,
            checkpoint,
        } = barriers;
        if !flushes.is_empty() {
            self.count().await;
        }
        let (mut outcome, mut has_saved) = (Ok(()), false);
        let mut answers = flushes;
        if let Some(checkpoint) = checkpoint {
            answers.append(superseded);
            self.keeper.keep(checkpoint);
        }
        if !saves.is_empty() {
            outcome = self.save_kept().await;
            has_saved = outcome.is_ok();
        }
        answers.extend(saves);
        self.shared.passed(answers.len(), has_saved);
        for answer in answers {
            let _ = answer.send(outcome.clone().map_err(RunError::from));
        }
        outcome
    }

    /// Sends counters and heartbeats, for as long as it is polled.
    pub(super) async fn report(&self) {
        loop {
            sleep(COUNT_EVERY.min(self.shared.limits.heartbeat)).await;
            self.count().await;
            if self.keeper.is_due() {
                let outcome = self.save_kept().await;
                self.shared.passed(0, outcome.is_ok());
                self.end_on_failure(outcome);
            }
            if self.shared.touched_at().elapsed() >= self.shared.limits.heartbeat {
                self.informed(self.manager.heartbeat(&self.run).await);
            }
        }
    }

    /// Sends the counts since the last call.
    async fn count(&self) {
        let _counting = self.counting.lock().await;
        let tally = self.shared.take_uncounted();
        let changed = tally.updated.saturating_add(tally.deleted);
        if tally.scanned != 0 {
            self.informed(self.manager.add_scanned(&self.run, tally.scanned).await);
        }
        if changed != 0 {
            self.informed(self.manager.add_updated(&self.run, changed).await);
        }
    }

    /// Logs a failed call for counters or heartbeats. These only inform, so the run continues.
    fn informed(&self, outcome: Result<(), ManagerError>) {
        match outcome {
            Ok(()) => self.shared.touch(),
            Err(error) => tracing::warn!(%error, "the progress could not be sent to the manager"),
        }
    }
}

fn events_of(waiting: &[Waiting]) -> impl Iterator<Item = &ConnectorEvent> {
    waiting.iter().map(|waiting| &*waiting.event)
}

/// Returns whether a smaller batch may be accepted: the manager could not read an event, or something before it refused
/// the size of the body.
fn is_about_what_was_sent(error: &ManagerError) -> bool {
    matches!(
        error.status(),
        Some(StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE)
    )
}
