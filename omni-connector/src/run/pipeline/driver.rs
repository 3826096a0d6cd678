//! The one task that moves a run's items to the manager.

use std::{collections::VecDeque, future, mem, sync::Arc, time::Duration};

use axum::http::StatusCode;
use futures_util::{StreamExt, stream::FuturesOrdered};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use super::queue::{After, Barrier, Item, Shared, Tally};
use crate::{
    contract::{BoxFuture, ConnectorEvent, wire::EventBatch},
    outgoing::{ManagerClient, ManagerError},
    run::{
        RunError, Skip,
        content::{Body, Contents},
    },
};

/// Contents being stored at once.
const STORES: usize = 16;
/// Items in the ordered stage at once, those without content included.
const ORDERED: usize = 256;
/// Events in one batch; the protocol knows no maximum, the SDKs send at most this many.
const BATCH: usize = 500;
/// The counters are sent at most this often.
const COUNT_EVERY: Duration = Duration::from_secs(1);

type Answer = oneshot::Sender<Result<(), RunError>>;

/// An item in its place in the order, its content stored.
enum Ready {
    Event(Box<ConnectorEvent>, Tally),
    /// An event whose content was refused: skipped, but its place counts.
    Skipped,
    Barrier(Barrier),
}

/// What the ordered stage yields.
struct Ordered {
    ready: Result<Ready, ManagerError>,
    /// Bytes of content that are no longer held.
    bytes: usize,
    stored: bool,
}

/// How the one call in flight ended.
enum Sent {
    Batch {
        items: usize,
        tally: Tally,
        refused: Vec<(String, String)>,
        outcome: Result<(), ManagerError>,
    },
    Barrier {
        answers: Vec<Answer>,
        outcome: Result<(), ManagerError>,
    },
}

pub(super) struct Driver {
    shared: Arc<Shared>,
    contents: Arc<Contents>,
    manager: ManagerClient,
    run: Arc<str>,
    source: Arc<str>,
    ordered: FuturesOrdered<BoxFuture<'static, Ordered>>,
    storing: usize,
    ready: VecDeque<Ready>,
    /// Since when the oldest event in `ready` waits.
    oldest: Option<Instant>,
    sending: Option<BoxFuture<'static, Sent>>,
    /// Counters or a heartbeat under way beside the events.
    aside: Option<BoxFuture<'static, Result<(), ManagerError>>>,
    counted_at: Instant,
    touched_at: Instant,
}

impl Driver {
    pub(super) fn new(
        shared: Arc<Shared>,
        contents: Arc<Contents>,
        manager: ManagerClient,
        run: Arc<str>,
        source: Arc<str>,
    ) -> Self {
        let now = Instant::now();
        Self {
            shared,
            contents,
            manager,
            run,
            source,
            ordered: FuturesOrdered::new(),
            storing: 0,
            ready: VecDeque::new(),
            oldest: None,
            sending: None,
            aside: None,
            counted_at: now,
            touched_at: now,
        }
    }

    /// Runs until the pipeline is closed. Dropping what is under way aborts it.
    pub(super) async fn drive(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut closed = std::pin::pin!(shared.closed());
        loop {
            self.admit();
            self.send();
            self.report();
            let wake_at = self.wake_at();
            tokio::select! {
                _ = &mut closed => break,
                () = shared.arrived.notified(), if self.has_room() => {}
                Some(ordered) = self.ordered.next(), if !self.ordered.is_empty() => self.on_ordered(ordered),
                sent = poll(&mut self.sending) => self.on_sent(sent),
                outcome = poll(&mut self.aside) => self.on_aside(outcome),
                () = sleep_until(wake_at) => {}
            }
        }
        let reason = self.shared.open().err().unwrap_or(RunError::Ended);
        for ready in mem::take(&mut self.ready) {
            if let Ready::Barrier(barrier) = ready {
                let _ = barrier.done.send(Err(reason.clone()));
            }
        }
    }

    fn has_room(&self) -> bool {
        self.storing < STORES && self.ordered.len() < ORDERED
    }

    /// Takes items out of the queue, as many as may be under way.
    fn admit(&mut self) {
        while self.has_room() {
            let Some(item) = self.shared.pop() else { break };
            match item {
                Item::Event {
                    event,
                    body: None,
                    tally,
                } => {
                    self.in_order(Ready::Event(event, tally));
                }
                Item::Barrier(barrier) => self.in_order(Ready::Barrier(barrier)),
                Item::Event {
                    event,
                    body: Some(body),
                    tally,
                } => {
                    self.storing += 1;
                    let store = store(
                        Arc::clone(&self.contents),
                        Arc::clone(&self.shared),
                        event,
                        body,
                        tally,
                    );
                    // A task of its own, so that several contents are encoded at once; aborted when the driver ends.
                    let task = AbortOnDropHandle::new(tokio::spawn(store));
                    self.ordered.push_back(Box::pin(async move {
                        match task.await {
                            Ok(ordered) => ordered,
                            // Only a panic while encoding gets here, and there is no better answer to it.
                            Err(error) => std::panic::resume_unwind(error.into_panic()),
                        }
                    }));
                }
            }
        }
    }

    /// An item that waits for nothing but those before it.
    fn in_order(&mut self, ready: Ready) {
        if self.ordered.is_empty() {
            self.push_ready(ready);
        } else {
            self.ordered.push_back(Box::pin(future::ready(Ordered {
                ready: Ok(ready),
                bytes: 0,
                stored: false,
            })));
        }
    }

    fn push_ready(&mut self, ready: Ready) {
        if matches!(ready, Ready::Event(..)) {
            self.oldest.get_or_insert_with(Instant::now);
        }
        self.ready.push_back(ready);
    }

    fn on_ordered(&mut self, ordered: Ordered) {
        if ordered.stored {
            self.storing -= 1;
            self.touched_at = Instant::now();
        }
        self.shared.release(0, ordered.bytes);
        match ordered.ready {
            Ok(Ready::Skipped) => self.shared.release(1, 0),
            Ok(ready) => self.push_ready(ready),
            Err(error) => self.shared.close(error.into()),
        }
    }

    /// Starts the next call if none is in flight and one is due.
    fn send(&mut self) {
        if self.sending.is_some() {
            return;
        }
        match self.ready.front() {
            Some(Ready::Barrier(_)) => self.send_barrier(),
            Some(_) if self.is_batch_due() => self.send_batch(),
            _ => {}
        }
    }

    fn is_batch_due(&self) -> bool {
        let waited = self
            .oldest
            .is_some_and(|oldest| oldest.elapsed() >= self.shared.limits.max_age);
        waited
            || self.ready.len() >= self.shared.limits.batch_at
            || self
                .ready
                .iter()
                .any(|ready| matches!(ready, Ready::Barrier(_)))
    }

    fn send_batch(&mut self) {
        let mut events = Vec::with_capacity(self.ready.len().min(BATCH));
        let mut tally = Tally::NONE;
        while events.len() < BATCH {
            match self.ready.pop_front() {
                Some(Ready::Event(event, counts)) => {
                    tally.add(counts);
                    events.push(*event);
                }
                Some(other) => {
                    self.ready.push_front(other);
                    break;
                }
                None => break,
            }
        }
        self.oldest = self
            .ready
            .iter()
            .any(|ready| matches!(ready, Ready::Event(..)))
            .then(Instant::now);
        let (manager, run, source) = (
            self.manager.clone(),
            Arc::clone(&self.run),
            Arc::clone(&self.source),
        );
        self.sending = Some(Box::pin(send_events(manager, run, source, events, tally)));
    }

    fn send_barrier(&mut self) {
        // A flush promises the counters, too: those that are under way first, then what was counted since.
        let is_flush = matches!(
            self.ready.front(),
            Some(Ready::Barrier(Barrier {
                after: After::Flush,
                ..
            }))
        );
        if is_flush && self.aside.is_some() {
            return;
        }
        let Some(Ready::Barrier(Barrier { after, done })) = self.ready.pop_front() else {
            return;
        };
        let mut answers = vec![done];
        let (manager, run) = (self.manager.clone(), Arc::clone(&self.run));
        self.sending = Some(match after {
            After::Flush => {
                let tally = self.shared.take_uncounted();
                Box::pin(async move {
                    let outcome = count(manager, run, tally).await;
                    Sent::Barrier { answers, outcome }
                })
            }
            After::Checkpoint(mut checkpoint) => {
                // Those that wait right behind replace this one: whoever asked for it is answered by a later one.
                while let Some(Ready::Barrier(Barrier {
                    after: After::Checkpoint(_),
                    ..
                })) = self.ready.front()
                {
                    if let Some(Ready::Barrier(Barrier {
                        after: After::Checkpoint(later),
                        done,
                    })) = self.ready.pop_front()
                    {
                        checkpoint = later;
                        answers.push(done);
                    }
                }
                Box::pin(async move {
                    let outcome = manager.save_checkpoint(&run, &checkpoint).await;
                    Sent::Barrier { answers, outcome }
                })
            }
        });
    }

    fn on_sent(&mut self, sent: Sent) {
        match sent {
            Sent::Batch {
                items,
                tally,
                refused,
                outcome,
            } => {
                let mut tally = tally;
                {
                    let mut report = self.shared.report();
                    for (document, cause) in refused {
                        tracing::warn!(document, cause, "the manager refuses an event");
                        // It was emitted as an update or a delete; what it turned out to be is a skip.
                        tally.updated = tally.updated.saturating_sub(1).max(0);
                        report.skip(Skip {
                            item: document,
                            reason: "refused by the manager".to_owned(),
                            detail: Some(cause),
                        });
                    }
                }
                self.shared.release(items, 0);
                match outcome {
                    Ok(()) => {
                        self.touched_at = Instant::now();
                        self.shared.count(tally);
                    }
                    Err(error) => self.shared.close(error.into()),
                }
            }
            Sent::Barrier { answers, outcome } => {
                self.shared.release(answers.len(), 0);
                let outcome = outcome.map_err(RunError::from);
                for answer in answers {
                    let _ = answer.send(outcome.clone());
                }
                match outcome {
                    Ok(()) => self.touched_at = Instant::now(),
                    Err(error) => self.shared.close(error),
                }
            }
        }
    }

    /// Starts sending the counters or a heartbeat when they are due.
    fn report(&mut self) {
        if self.aside.is_some() {
            return;
        }
        let (manager, run) = (self.manager.clone(), Arc::clone(&self.run));
        if self.counted_at.elapsed() >= COUNT_EVERY {
            self.counted_at = Instant::now();
            let tally = self.shared.take_uncounted();
            if tally != Tally::NONE {
                self.aside = Some(Box::pin(count(manager, run, tally)));
                return;
            }
        }
        if self.touched_at.elapsed() >= self.shared.limits.heartbeat {
            self.touched_at = Instant::now();
            self.aside = Some(Box::pin(async move { manager.heartbeat(&run).await }));
        }
    }

    /// Counters and heartbeats inform; a run does not fail for want of them.
    fn on_aside(&mut self, outcome: Result<(), ManagerError>) {
        match outcome {
            Ok(()) => self.touched_at = Instant::now(),
            Err(error) => tracing::warn!(%error, "the manager was not told of the progress"),
        }
    }

    fn wake_at(&self) -> Instant {
        let heartbeat = self.touched_at + self.shared.limits.heartbeat;
        let counters = self.counted_at + COUNT_EVERY;
        let batch = self
            .oldest
            .map(|oldest| oldest + self.shared.limits.max_age);
        // While a call is in flight its end wakes the driver; a batch that is overdue must not make it spin.
        let batch = batch.filter(|_| self.sending.is_none());
        let aside = if self.aside.is_none() {
            heartbeat.min(counters)
        } else {
            Instant::now() + COUNT_EVERY
        };
        batch.map_or(aside, |batch| batch.min(aside))
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

async fn store(
    contents: Arc<Contents>,
    shared: Arc<Shared>,
    mut event: Box<ConnectorEvent>,
    body: Body,
    tally: Tally,
) -> Ordered {
    let bytes = body.len();
    let ready = match contents.store(body).await {
        Ok((id, sent)) => {
            shared.stored(bytes as u64, sent);
            if let ConnectorEvent::DocumentCreated { content_id, .. }
            | ConnectorEvent::DocumentUpdated { content_id, .. } = &mut *event
            {
                *content_id = id;
            }
            Ok(Ready::Event(event, tally))
        }
        Err(error) => match reason_to_skip(&error) {
            Some(reason) => {
                tracing::warn!(document = event.subject(), %error, "a document is skipped");
                shared.count(Tally::SCAN);
                shared.report().skip(Skip {
                    item: event.subject().to_owned(),
                    reason: reason.to_owned(),
                    detail: Some(error.to_string()),
                });
                Ok(Ready::Skipped)
            }
            None => Err(error),
        },
    };
    Ordered {
        ready,
        bytes,
        stored: true,
    }
}

/// Why one document is left out when its content is refused; none when the trouble is not the document's.
fn reason_to_skip(error: &ManagerError) -> Option<&'static str> {
    let ManagerError::Refused { status, route, .. } = error else {
        return None;
    };
    match *status {
        StatusCode::PAYLOAD_TOO_LARGE => Some("too large for the manager"),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            Some("content refused by the manager")
        }
        // Text is stored or not; a conversion that fails with 500 on every attempt fails for this file.
        StatusCode::INTERNAL_SERVER_ERROR if route.contains("extract") => {
            Some("text extraction failed")
        }
        _ => None,
    }
}

/// Sends a batch. One that is refused for its shape is halved until the event at fault stands alone; that one is named
/// and left out, and the others arrive in their order.
async fn send_events(
    manager: ManagerClient,
    run: Arc<str>,
    source: Arc<str>,
    events: Vec<ConnectorEvent>,
    tally: Tally,
) -> Sent {
    let items = events.len();
    let mut refused = Vec::new();
    let mut parts = vec![events];
    while let Some(events) = parts.pop() {
        let batch = EventBatch {
            sync_run_id: run.to_string(),
            source_id: source.to_string(),
            events,
        };
        match manager.send_events(&batch).await {
            Ok(()) => {}
            Err(error) if error.status() == Some(StatusCode::UNPROCESSABLE_ENTITY) => {
                let mut events = batch.events;
                if let [event] = &events[..] {
                    refused.push((event.subject().to_owned(), error.to_string()));
                } else {
                    let second = events.split_off(events.len() / 2);
                    parts.push(second);
                    parts.push(events);
                }
            }
            Err(error) => {
                return Sent::Batch {
                    items,
                    tally,
                    refused,
                    outcome: Err(error),
                };
            }
        }
    }
    Sent::Batch {
        items,
        tally,
        refused,
        outcome: Ok(()),
    }
}

async fn count(manager: ManagerClient, run: Arc<str>, tally: Tally) -> Result<(), ManagerError> {
    if tally.scanned != 0 {
        manager.add_scanned(&run, tally.scanned).await?;
    }
    let changed = tally.updated.saturating_add(tally.deleted);
    if changed != 0 {
        manager.add_updated(&run, changed).await?;
    }
    Ok(())
}
