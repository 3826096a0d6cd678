//! Events that were sent.
//!
//! An event is built by the author's thread and sent by another, and the system's allocator makes the two wait for each
//! other when one gives up what the other took. So events go back: the next one is put in the place of one that was sent.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::line::Waiting;
use crate::wire::ConnectorEvent;

/// A heavier event is given up at once: as many as a run may have on its way are kept.
const HEAVIEST: usize = 4 << 10;

/// Where an event stands.
type Place = Box<ConnectorEvent>;

#[derive(Debug, Default)]
pub(super) struct Spent(Mutex<Vec<Place>>);

impl Spent {
    /// Puts an event in the place of one that was sent.
    #[inline]
    pub(super) fn replace(&self, event: ConnectorEvent) -> Place {
        let spent = self.events().pop();
        match spent {
            Some(mut place) => {
                *place = event;
                place
            }
            None => Box::new(event),
        }
    }

    /// Takes events that were sent.
    pub(super) fn give(&self, sent: Vec<Waiting>) {
        let usual = sent
            .into_iter()
            .filter(|waiting| waiting.weight <= HEAVIEST);
        // The heavy ones are dropped here, where no author waits for it.
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
    fn the_next_event_takes_the_place_of_one_that_was_sent_unless_that_was_heavy() {
        let spent = Spent::default();
        let [usual, heavy] = [HEAVIEST, HEAVIEST + 1].map(|weight| Waiting {
            event: Box::new(deleted("sent")),
            tally: Tally::NONE,
            receipt: Receipt::new(&Arc::default(), None),
            weight,
            since: Instant::now(),
        });
        let place = &raw const *usual.event;
        spent.give(vec![usual, heavy]);
        let next = spent.replace(deleted("next"));
        assert_eq!((&raw const *next, &*next), (place, &deleted("next")));
        assert!(spent.events().is_empty());
    }

    fn deleted(document_id: &str) -> ConnectorEvent {
        ConnectorEvent::DocumentDeleted {
            sync_run_id: String::new(),
            source_id: String::new(),
            document_id: document_id.to_owned(),
        }
    }
}
