//! The state that the author's calls and the tasks of a run share: the line, the report, and whether the run is still
//! open. It has one lock, which is never held across an await.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{Notify, futures::Notified, oneshot},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    Limits, Tally,
    ledger::Ledger,
    line::{Barrier, Barriers, Batch, Line, Waiting},
};
use crate::{
    redact::Secrets,
    run::{Failure, FailureBudget, RunError, RunReport, Stage, content::Body},
    wire::ConnectorEvent,
};

/// The sender of an outcome. It is dropped when the run is closed; the reason is then in the state.
pub(super) type Answer<T = ()> = oneshot::Sender<Result<T, RunError>>;

/// A content to store.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) body: Body,
    pub(super) owner: Owner,
}

/// The owner of a content.
#[derive(Debug)]
pub(super) enum Owner {
    /// The event at this place in the line.
    Event { place: u64, waiting: Waiting },
    /// A caller that waits for the id.
    Caller(Answer<String>),
}

/// Contents of one kind that wait to be stored. Extractions have their own lane, since they may take hours.
#[derive(Debug, Default)]
struct Lane {
    jobs: VecDeque<Job>,
    idle: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Extraction,
}

/// A content that was stored, or dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredBody {
    pub(super) bytes: usize,
    /// The manager accepted it and did not have it before.
    pub(super) was_sent: bool,
}

/// The next call to the manager.
#[derive(Debug)]
pub(super) enum Next {
    Batch(Batch),
    Barriers(Barriers),
}

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

/// The state of the task that sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Works,
    /// Nothing waits to be sent. The first event starts the timer.
    WaitsForFirst,
    /// The timer runs. The task waits for its end or for a full batch.
    WaitsForMore,
    /// A batch is being sent, and the next one is not full.
    WaitsForFull,
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

    fn stored(&mut self, StoredBody { bytes, was_sent }: StoredBody) {
        self.ledger.store(bytes, was_sent);
        if was_sent {
            self.touched_at = Instant::now();
        }
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

    /// Queues an event that is ready to be sent. Returns whether there is room for another.
    pub(super) fn push_event(&self, waiting: Waiting) -> Result<bool, RunError> {
        let mut state = self.state();
        state.accepting()?;
        let has_room = state.take(&self.limits, waiting.weight);
        state.ledger.look_at(waiting.tally);
        state.line.push_event(waiting);
        self.wake_sender(state);
        Ok(has_room)
    }

    /// Queues an event whose content must be stored first. Returns whether there is room for another.
    pub(super) fn push_document(&self, waiting: Waiting, body: Body) -> Result<bool, RunError> {
        let mut state = self.state();
        state.accepting()?;
        let has_room = state.take(&self.limits, waiting.weight + body.len());
        state.ledger.look_at(waiting.tally);
        let place = state.line.reserve();
        let owner = Owner::Event { place, waiting };
        self.push_job(state, Job { body, owner });
        Ok(has_room)
    }

    /// Queues a content that the author stores.
    pub(super) fn push_content(&self, body: Body, answer: Answer<String>) -> Result<(), RunError> {
        let mut state = self.state();
        state.accepting()?;
        state.take(&self.limits, body.len());
        let owner = Owner::Caller(answer);
        self.push_job(state, Job { body, owner });
        Ok(())
    }

    fn push_job(&self, mut state: MutexGuard<'_, State>, job: Job) {
        let kind = Kind::of(&job.body) as usize;
        let lane = &mut state.lanes[kind];
        lane.jobs.push_back(job);
        let wakes = lane.idle > 0;
        drop(state);
        if wakes {
            self.jobs[kind].notify_one();
        }
    }

    /// Queues a barrier. After one with `finishes`, only barriers are accepted.
    pub(super) fn push_barrier(&self, barrier: Barrier, finishes: bool) -> Result<(), RunError> {
        let mut state = self.state();
        state.open()?;
        state.finishing |= finishes;
        state.take(&self.limits, 0);
        state.line.push_barrier(barrier);
        self.wake_sender(state);
        Ok(())
    }

    fn wake_sender(&self, mut state: MutexGuard<'_, State>) {
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

    /// Waits for the next content to store.
    pub(super) async fn next_job(&self, kind: Kind) -> Job {
        let mut was_idle = false;
        loop {
            {
                let mut state = self.state();
                let lane = &mut state.lanes[kind as usize];
                lane.idle -= usize::from(was_idle);
                if let Some(job) = lane.jobs.pop_front() {
                    // Two jobs that arrive at once may wake only one task. That task wakes the next.
                    let wakes = lane.idle > 0 && !lane.jobs.is_empty();
                    drop(state);
                    if wakes {
                        self.jobs[kind as usize].notify_one();
                    }
                    return job;
                }
                lane.idle += 1;
            }
            self.jobs[kind as usize].notified().await;
            was_idle = true;
        }
    }

    /// Waits for the next call to make.
    pub(super) async fn next_call(&self) -> Next {
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
    pub(super) async fn next_full_batch(&self) -> Batch {
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

    /// Releases an event whose content was stored.
    pub(super) fn settle(&self, place: u64, waiting: Waiting, stored: StoredBody) {
        let mut state = self.state();
        state.stored(stored);
        self.leave(&mut state, 0, stored.bytes);
        state.line.settle(place, Some(waiting));
        self.wake_sender(state);
    }

    /// Ends the storing of a content for the author.
    pub(super) fn settle_content(&self, stored: StoredBody) {
        let mut state = self.state();
        state.stored(stored);
        self.leave(&mut state, 1, stored.bytes);
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

    /// Drops an event whose content was refused.
    pub(super) fn leave_out(&self, place: u64, failure: Failure, bytes: usize) {
        // Logs outside the lock: a subscriber may be slow.
        failure.log();
        let judged = {
            let mut state = self.state();
            self.leave(&mut state, 1, bytes);
            state.ledger.count(Tally::SCAN);
            state.line.settle(place, None);
            let judged = state.ledger.fail(failure);
            self.wake_sender(state);
            judged
        };
        if let Err(reason) = judged {
            self.close(reason);
        }
    }

    /// Records the outcome of items that were sent.
    pub(super) fn sent(&self, items: usize, bytes: usize, accepted: Tally, failures: Vec<Failure>) {
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
    pub(super) fn passed(&self, barriers: usize, has_saved: bool) {
        let mut state = self.state();
        self.leave(&mut state, barriers, 0);
        state.has_saved |= has_saved;
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

impl Kind {
    const fn of(body: &Body) -> Self {
        match body {
            Body::Text(_) => Self::Text,
            Body::Extract(_) => Self::Extraction,
        }
    }
}
