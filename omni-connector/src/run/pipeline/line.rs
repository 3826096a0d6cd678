//! The order of a run's events. They wait here for earlier ones, and leave in batches.
//!
//! Contents are stored in any order. An event whose content is not stored yet keeps its place, and all later events
//! wait.

use std::{collections::VecDeque, iter};

use tokio::time::Instant;

use super::{Limits, Tally, shared::Answer};
use crate::{
    run::{keeper::Snapshot, receipt::Receipt},
    wire::ConnectorEvent,
};

/// The largest batch, in events. The protocol has no maximum; Omni's SDKs send at most this many.
const BATCH: usize = 500;
/// A batch is also full at this weight, in bytes.
const BATCH_BYTES: usize = 4 << 20;

/// An event that is ready to be sent.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) event: Box<ConnectorEvent>,
    pub(super) tally: Tally,
    pub(super) receipt: Receipt,
    /// The bytes counted against the limits of the run.
    pub(super) weight: usize,
    pub(super) since: Instant,
}

/// An action to perform once everything before it was accepted.
#[derive(Debug)]
pub(super) enum Barrier {
    /// Only sends the answer.
    Flush(Answer),
    /// Saves this checkpoint.
    Checkpoint(Snapshot, Answer),
    /// Saves the kept checkpoint again, in its current state.
    Again(Answer),
}

#[derive(Debug, Default)]
pub(super) struct Line {
    /// Places that wait for no content, in order.
    ready: VecDeque<Place>,
    /// The number of events among them, and their weight.
    events: usize,
    weight: usize,
    barriers: usize,
    /// The first place whose content is not stored yet, and all places after it.
    behind: VecDeque<Behind>,
    /// The number of the first place in `behind`.
    first: u64,
}

#[derive(Debug)]
enum Place {
    Event(Waiting),
    Barrier(Barrier),
}

#[derive(Debug)]
enum Behind {
    /// The content of this event is being stored.
    UnderWay,
    Settled(Place),
    /// The event was left out.
    Empty,
}

/// Events that are sent together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) events: Vec<Waiting>,
    /// The callers of checkpoints between these events. A later checkpoint right behind the events also answers them.
    pub(super) superseded: Vec<Answer>,
}

/// Consecutive barriers.
#[derive(Debug, Default)]
pub(super) struct Barriers {
    pub(super) flushes: Vec<Answer>,
    pub(super) saves: Vec<Answer>,
    /// The latest checkpoint.
    pub(super) checkpoint: Option<Snapshot>,
}

impl Line {
    /// Reserves a place for an event whose content is being stored.
    pub(super) fn reserve(&mut self) -> u64 {
        self.behind.push_back(Behind::UnderWay);
        self.first + self.behind.len() as u64 - 1
    }

    /// Fills a reserved place. `None` leaves it empty.
    pub(super) fn settle(&mut self, number: u64, event: Option<Waiting>) {
        // At most 2,000 places are reserved, so the difference is small.
        let index = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        if let Some(place) = self.behind.get_mut(index) {
            *place = event.map_or(Behind::Empty, |event| Behind::Settled(Place::Event(event)));
        }
        let is_settled = |place: &mut Behind| !matches!(place, Behind::UnderWay);
        while let Some(settled) = self.behind.pop_front_if(is_settled) {
            self.first += 1;
            if let Behind::Settled(place) = settled {
                self.push_ready(place);
            }
        }
    }

    /// Appends an event that waits only for the events before it.
    pub(super) fn push_event(&mut self, event: Waiting) {
        self.push(Place::Event(event));
    }

    pub(super) fn push_barrier(&mut self, barrier: Barrier) {
        self.push(Place::Barrier(barrier));
    }

    fn push(&mut self, place: Place) {
        if self.behind.is_empty() {
            self.push_ready(place);
        } else {
            self.behind.push_back(Behind::Settled(place));
        }
    }

    fn push_ready(&mut self, place: Place) {
        match &place {
            Place::Event(waiting) => {
                self.events += 1;
                self.weight += waiting.weight;
            }
            Place::Barrier(_) => self.barriers += 1,
        }
        self.ready.push_back(place);
    }

    /// Returns whether a barrier is first in the line.
    pub(super) fn is_at_barrier(&self) -> bool {
        matches!(self.ready.front(), Some(Place::Barrier(_)))
    }

    /// Returns whether something must be sent now: enough events, an old event, or a barrier.
    pub(super) fn is_due(&self, limits: &Limits) -> bool {
        self.barriers > 0
            || self.events >= limits.batch_at
            || self.weight >= BATCH_BYTES
            || self
                .oldest()
                .is_some_and(|since| since.elapsed() >= limits.max_age)
    }

    /// Returns whether a batch is first in the line, and full.
    pub(super) fn is_full(&self) -> bool {
        !self.is_at_barrier() && (self.events >= BATCH || self.weight >= BATCH_BYTES)
    }

    /// Returns since when the first event waits, if an event is first in the line.
    pub(super) fn oldest(&self) -> Option<Instant> {
        match self.ready.front() {
            Some(Place::Event(waiting)) => Some(waiting.since),
            _ => None,
        }
    }

    /// Takes the next events, in order. The batch passes a checkpoint between them when a later checkpoint ends it:
    /// saving the later one covers both. It never passes a flush.
    pub(super) fn take_batch(&mut self) -> Batch {
        let (mut events, mut weight, mut end, mut last_checkpoint) = (0, 0, 0, None);
        for (index, place) in self.ready.iter().enumerate() {
            match place {
                Place::Event(_) if events == BATCH || weight >= BATCH_BYTES => break,
                Place::Event(waiting) => {
                    events += 1;
                    weight += waiting.weight;
                    end = index + 1;
                }
                Place::Barrier(Barrier::Checkpoint(..)) => last_checkpoint = Some(index),
                Place::Barrier(Barrier::Flush(_) | Barrier::Again(_)) => break,
            }
        }
        let mut batch = Batch::default();
        batch.events.reserve(events);
        for place in self.ready.drain(..last_checkpoint.unwrap_or(end)) {
            match place {
                Place::Event(waiting) => {
                    self.events -= 1;
                    self.weight -= waiting.weight;
                    batch.events.push(waiting);
                }
                Place::Barrier(
                    Barrier::Flush(answer)
                    | Barrier::Checkpoint(_, answer)
                    | Barrier::Again(answer),
                ) => {
                    self.barriers -= 1;
                    batch.superseded.push(answer);
                }
            }
        }
        batch
    }

    /// Takes the consecutive barriers at the front.
    pub(super) fn take_barriers(&mut self) -> Barriers {
        let mut barriers = Barriers::default();
        let ready = &mut self.ready;
        for place in
            iter::from_fn(|| ready.pop_front_if(|place| matches!(place, Place::Barrier(_))))
        {
            self.barriers -= 1;
            match place {
                Place::Barrier(Barrier::Flush(answer)) => barriers.flushes.push(answer),
                Place::Barrier(Barrier::Checkpoint(checkpoint, answer)) => {
                    barriers.checkpoint = Some(checkpoint);
                    barriers.saves.push(answer);
                }
                Place::Barrier(Barrier::Again(answer)) => barriers.saves.push(answer),
                Place::Event(_) => {}
            }
        }
        barriers
    }
}
