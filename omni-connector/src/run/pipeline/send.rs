//! The calls that a run makes one after the other: batches of events, checkpoints, counters.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use tokio::{sync::Mutex, time::sleep};

use super::{
    Tally,
    line::{Barriers, Waiting},
    shared::{Answer, Next, Shared},
};
use crate::{
    contract::ConnectorEvent,
    outgoing::{EventEncoder, ManagerClient, ManagerError},
    run::{Failure, RunError, Stage},
};

/// The counters are sent at most this often.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// Tells the manager what a run does.
#[derive(Debug)]
pub(super) struct Sender {
    shared: Arc<Shared>,
    manager: ManagerClient,
    run: Arc<str>,
    encoder: Arc<EventEncoder>,
    /// Held while counters are under way: a flush promises them, too.
    counting: Mutex<()>,
}

impl Sender {
    pub(super) fn new(
        shared: Arc<Shared>,
        manager: ManagerClient,
        run: Arc<str>,
        encoder: Arc<EventEncoder>,
    ) -> Self {
        Self {
            shared,
            manager,
            run,
            encoder,
            counting: Mutex::new(()),
        }
    }

    /// Sends what is due for as long as it is polled.
    pub(super) async fn send(&self) {
        let mut superseded: Vec<Answer> = Vec::new();
        loop {
            let outcome = match self.shared.next_call().await {
                Next::Batch(batch) => {
                    superseded.extend(batch.superseded);
                    self.send_batch(batch.events).await
                }
                Next::Barriers(barriers) => self.send_barriers(barriers, &mut superseded).await,
            };
            match outcome {
                Ok(()) => self.shared.touch(),
                Err(error) => self.shared.close(error.into()),
            }
        }
    }

    /// Sends events. A batch that is refused for its shape or its size is halved until the event at fault stands alone; that one is
    /// named and left out, and the others arrive in their order.
    async fn send_batch(&self, events: Vec<Waiting>) -> Result<(), ManagerError> {
        let mut parts = vec![events];
        while let Some(mut events) = parts.pop() {
            let (mut accepted, mut failures) = (Tally::NONE, Vec::new());
            let batch = events.iter().map(|waiting| &waiting.json[..]);
            let batch = self.encoder.batch(batch);
            let (outcome, batch) = self.manager.send_encoded_events(batch).await;
            self.encoder.recycle_batch(batch);
            match outcome {
                Ok(()) => events
                    .iter()
                    .for_each(|waiting| accepted.add(waiting.tally)),
                Err(error) if is_about_what_was_sent(&error) => {
                    let [alone] = &events[..] else {
                        parts.push(events.split_off(events.len() / 2));
                        parts.push(events);
                        continue;
                    };
                    // It was looked at, if it counts at all; nothing came of it.
                    accepted.scanned = alone.tally.scanned;
                    failures.push(refused(alone, &error));
                }
                Err(error) => return Err(error),
            }
            let weight = events.iter().map(|waiting| waiting.weight).sum();
            self.shared.sent(events.len(), weight, accepted, failures);
            let sent = events.into_iter().map(|waiting| waiting.json);
            self.encoder.recycle(sent);
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
        answers.extend(saves);
        if let Some(checkpoint) = checkpoint {
            answers.append(superseded);
            outcome = self.manager.save_checkpoint(&self.run, &checkpoint).await;
            has_saved = outcome.is_ok();
        }
        self.shared.passed(answers.len(), has_saved);
        for answer in answers {
            let _ = answer.send(outcome.clone().map_err(RunError::from));
        }
        outcome
    }

    /// Sends counters and heartbeats for as long as it is polled.
    pub(super) async fn report(&self) {
        loop {
            sleep(COUNT_EVERY.min(self.shared.limits.heartbeat)).await;
            self.count().await;
            if self.shared.touched_at().elapsed() >= self.shared.limits.heartbeat {
                self.informed(self.manager.heartbeat(&self.run).await);
            }
        }
    }

    /// Sends what was counted since the last time.
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

    /// Counters and heartbeats inform; a run does not fail for want of them.
    fn informed(&self, outcome: Result<(), ManagerError>) {
        match outcome {
            Ok(()) => self.shared.touch(),
            Err(error) => tracing::warn!(%error, "the manager was not told of the progress"),
        }
    }
}

/// Whether less of it may be taken: an event that the manager cannot read, or a body that something before it finds too long.
fn is_about_what_was_sent(error: &ManagerError) -> bool {
    matches!(
        error.status(),
        Some(StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE)
    )
}

/// The failure of an event that was refused by itself.
fn refused(waiting: &Waiting, error: &ManagerError) -> Failure {
    let cause = error.to_string();
    match serde_json::from_slice::<ConnectorEvent>(&waiting.json) {
        Ok(event) => Failure::of(&event, Stage::Send, cause),
        Err(_) => Failure {
            // Nested deeper than serde_json reads.
            item: String::from_utf8_lossy(&waiting.json)
                .chars()
                .take(500)
                .collect(),
            stage: Stage::Send,
            cause,
            link: None,
        },
    }
}
