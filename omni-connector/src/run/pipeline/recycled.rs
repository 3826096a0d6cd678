//! Reuses the memory of events that were sent.
//!
//! The author's thread allocates an event, and another thread would free it. The system's allocator makes such threads
//! wait for each other. So the next event reuses the memory of one that was sent.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::line::Waiting;
use crate::wire::ConnectorEvent;

/// Heavier events are freed at once. As many events are kept as the pipeline of a run may hold.
const HEAVIEST: usize = 4 << 10;

/// The memory of an event.
type Place = Box<ConnectorEvent>;

#[derive(Debug, Default)]
pub(super) struct Recycled(Mutex<Vec<Place>>);

impl Recycled {
    /// Puts an event into the memory of one that was sent.
    #[inline]
    pub(super) fn replace(&self, event: ConnectorEvent) -> Place {
        let recycled = self.events().pop();
        match recycled {
            Some(mut place) => {
                *place = event;
                place
            }
            None => Box::new(event),
        }
    }

    /// Takes back events that were sent.
    pub(super) fn give(&self, sent: Vec<Waiting>) {
        let usual = sent
            .into_iter()
            .filter(|waiting| waiting.weight <= HEAVIEST);
        // Heavy events are freed here, where no author waits.
        let usual: Vec<_> = usual.map(|waiting| waiting.event).collect();
        self.events().extend(usual);
    }

    fn events(&self) -> MutexGuard<'_, Vec<Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use std::sync::Arc;

    use super::*;
    use crate::run::{pipeline::Tally, receipt::Receipt};

    #[test]
    fn the_memory_of_a_sent_event_is_reused_unless_it_was_heavy() {
        let recycled = Recycled::default();
        let [usual, heavy] = [HEAVIEST, HEAVIEST + 1].map(|weight| Waiting {
            event: Box::new(deleted("sent")),
            tally: Tally::NONE,
            receipt: Receipt::new(&Arc::default(), None),
            weight,
            since: Instant::now(),
        });
        let place = &raw const *usual.event;
        recycled.give(vec![usual, heavy]);
        let next = recycled.replace(deleted("next"));
        assert_eq!((&raw const *next, &*next), (place, &deleted("next")));
        assert!(recycled.events().is_empty());
    }

    fn deleted(document_id: &str) -> ConnectorEvent {
        ConnectorEvent::DocumentDeleted {
            sync_run_id: String::new(),
            source_id: String::new(),
            document_id: document_id.to_owned(),
        }
    }
}
