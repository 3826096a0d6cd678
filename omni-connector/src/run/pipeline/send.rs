//! The calls that a run makes one after the other: batches of events, checkpoints, counters.

use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::queue::{Tally, Waiting};
use crate::{
    outgoing::{ManagerClient, ManagerError, encode},
    run::{Failure, Stage},
};

/// The manager, for one run.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    pub(super) manager: ManagerClient,
    pub(super) run: Arc<str>,
    pub(super) source: Arc<str>,
}

/// Events, and their bytes on the wire.
#[derive(Debug)]
pub(super) struct Encoded {
    events: Vec<Waiting>,
    body: Bytes,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) struct SentBatch {
    pub(super) items: usize,
    pub(super) weight: usize,
    pub(super) accepted: Tally,
    pub(super) failures: Vec<Failure>,
    pub(super) outcome: Result<(), ManagerError>,
}

/// `protocol.md` §3.4, without a copy of the events.
#[derive(Serialize)]
struct Envelope<'a> {
    sync_run_id: &'a str,
    source_id: &'a str,
    events: &'a [Waiting],
}

impl Serialize for Waiting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.event.serialize(serializer)
    }
}

impl Calls {
    pub(super) fn encode(&self, events: Vec<Waiting>) -> Encoded {
        let body = encode(&Envelope {
            sync_run_id: &self.run,
            source_id: &self.source,
            events: &events,
        });
        Encoded { events, body }
    }

    /// Sends a batch. One that is refused for its shape is halved until the event at fault stands alone; that one is named
    /// and left out, and the others arrive in their order.
    pub(super) async fn send(self, batch: Encoded) -> SentBatch {
        let mut sent = SentBatch {
            items: batch.events.len(),
            weight: batch.events.iter().map(|waiting| waiting.weight).sum(),
            accepted: Tally::NONE,
            failures: Vec::new(),
            outcome: Ok(()),
        };
        let mut parts = vec![batch];
        while let Some(Encoded { mut events, body }) = parts.pop() {
            match self.manager.send_encoded_events(body).await {
                Ok(()) => events
                    .iter()
                    .for_each(|waiting| sent.accepted.add(waiting.tally)),
                Err(error) if error.status() == Some(StatusCode::UNPROCESSABLE_ENTITY) => {
                    if let [Waiting { event, tally, .. }] = &events[..] {
                        let failure = Failure::of(event, Stage::Send, error.to_string());
                        sent.failures.push(failure);
                        // It was looked at, if it counts at all; nothing came of it.
                        sent.accepted.add(Tally {
                            scanned: tally.scanned,
                            ..Tally::NONE
                        });
                    } else {
                        let second = events.split_off(events.len() / 2);
                        parts.push(self.encode(second));
                        parts.push(self.encode(events));
                    }
                }
                Err(error) => {
                    sent.outcome = Err(error);
                    break;
                }
            }
        }
        sent
    }

    pub(super) async fn save(&self, checkpoint: &Value) -> Result<(), ManagerError> {
        self.manager.save_checkpoint(&self.run, checkpoint).await
    }

    /// Counters inform; a run does not fail for want of them.
    pub(super) async fn count(&self, tally: Tally) {
        let changed = tally.updated.saturating_add(tally.deleted);
        if tally.scanned != 0 {
            let outcome = self.manager.add_scanned(&self.run, tally.scanned).await;
            warn_of(&outcome);
        }
        if changed != 0 {
            let outcome = self.manager.add_updated(&self.run, changed).await;
            warn_of(&outcome);
        }
    }

    pub(super) async fn heartbeat(&self) {
        warn_of(&self.manager.heartbeat(&self.run).await);
    }
}

fn warn_of(outcome: &Result<(), ManagerError>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "the manager was not told of the progress");
    }
}
