//! Contents that wait to be stored, and the tasks that store them.

use std::{collections::VecDeque, sync::MutexGuard};

use tokio::time::Instant;

use super::{
    super::{Tally, line::Waiting},
    Answer, Shared, State,
};
use crate::run::{Failure, RunError, content::Body};

/// A content to store.
#[derive(Debug)]
pub(in crate::run::pipeline) struct Job {
    pub(in crate::run::pipeline) body: Body,
    pub(in crate::run::pipeline) owner: Owner,
}

/// The owner of a content.
#[derive(Debug)]
pub(in crate::run::pipeline) enum Owner {
    /// The event at this place in the line.
    Event { place: u64, waiting: Waiting },
    /// A caller that waits for the id.
    Caller(Answer<String>),
}

/// Contents of one kind that wait to be stored. Extractions have their own lane, since they may take hours.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) jobs: VecDeque<Job>,
    idle: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run::pipeline) enum Kind {
    Text,
    Extraction,
}

/// A content that was stored, or dropped.
#[derive(Debug, Clone, Copy)]
pub(in crate::run::pipeline) struct StoredBody {
    pub(in crate::run::pipeline) bytes: usize,
    /// The manager accepted it and did not have it before.
    pub(in crate::run::pipeline) was_sent: bool,
}

impl Kind {
    const fn of(body: &Body) -> Self {
        match body {
            Body::Text(_) => Self::Text,
            Body::Extract(_) => Self::Extraction,
        }
    }
}

impl State {
    fn stored(&mut self, StoredBody { bytes, was_sent }: StoredBody) {
        self.ledger.store(bytes, was_sent);
        if was_sent {
            self.touched_at = Instant::now();
        }
    }
}

impl Shared {
    /// Queues an event whose content must be stored first. Returns whether there is room for another.
    pub(in crate::run::pipeline) fn push_document(
        &self,
        waiting: Waiting,
        body: Body,
    ) -> Result<bool, RunError> {
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
    pub(in crate::run::pipeline) fn push_content(
        &self,
        body: Body,
        answer: Answer<String>,
    ) -> Result<(), RunError> {
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

    /// Waits for the next content to store.
    pub(in crate::run::pipeline) async fn next_job(&self, kind: Kind) -> Job {
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

    /// Releases an event whose content was stored.
    pub(in crate::run::pipeline) fn settle(
        &self,
        place: u64,
        waiting: Waiting,
        stored: StoredBody,
    ) {
        let mut state = self.state();
        state.stored(stored);
        self.leave(&mut state, 0, stored.bytes);
        state.line.settle(place, Some(waiting));
        self.wake_sender(state);
    }

    /// Ends the storing of a content for the author.
    pub(in crate::run::pipeline) fn settle_content(&self, stored: StoredBody) {
        let mut state = self.state();
        state.stored(stored);
        self.leave(&mut state, 1, stored.bytes);
    }

    /// Drops an event whose content was refused.
    pub(in crate::run::pipeline) fn leave_out(&self, place: u64, failure: Failure, bytes: usize) {
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
}
