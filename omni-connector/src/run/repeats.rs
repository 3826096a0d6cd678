//! Counts documents that a run sends more than once. Two items with one id overwrite each other.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use highway::{HighwayHash, HighwayHasher, Key};

use crate::wire::{ConnectorEvent, SyncType};

/// The number of ids that are remembered, at some 16 bytes each.
const REMEMBERED: usize = 1 << 20;
/// The number of ids that are counted by name.
const NAMED: usize = 100;

/// The ids that a run sent.
#[derive(Debug)]
pub(super) struct Repeats(Option<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    sent: HashSet<u64>,
    /// Those that were sent more than once.
    repeated: HashSet<u64>,
    /// How often each of the first repeated ids was sent.
    named: BTreeMap<Box<str>, u64>,
}

impl Repeats {
    /// Counts nothing in a realtime run, which sends a document at each of its changes.
    pub(super) fn of(mode: SyncType) -> Self {
        Self((mode != SyncType::Realtime).then(Mutex::default))
    }

    fn state(&self) -> Option<MutexGuard<'_, State>> {
        let state = self.0.as_ref()?;
        Some(state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records an event. A document that was deleted in between may be sent again.
    pub(super) fn note(&self, event: &ConnectorEvent) {
        let (id, is_delete) = match event {
            ConnectorEvent::DocumentCreated { document_id, .. }
            | ConnectorEvent::DocumentUpdated { document_id, .. } => (document_id, false),
            ConnectorEvent::DocumentDeleted { document_id, .. } => (document_id, true),
            _ => return,
        };
        let Some(mut state) = self.state() else {
            return;
        };
        let print = HighwayHasher::new(Key::default()).hash64(id.as_bytes());
        if is_delete {
            state.sent.remove(&print);
        } else if state.sent.contains(&print) {
            state.repeated.insert(print);
            if state.named.len() < NAMED || state.named.contains_key(id.as_str()) {
                *state.named.entry(id.as_str().into()).or_insert(1) += 1;
            }
        } else if state.sent.len() < REMEMBERED {
            state.sent.insert(print);
        }
    }

    /// Returns the number of repeated ids.
    pub(super) fn count(&self) -> u64 {
        let state = self.state();
        state.map_or(0, |state| state.repeated.len() as u64)
    }

    /// Returns the first repeated ids, and how often each was sent.
    pub(super) fn found(&self) -> BTreeMap<String, u64> {
        let state = self.state();
        let named = state.iter().flat_map(|state| &state.named);
        named.map(|(id, times)| (id.to_string(), *times)).collect()
    }
}
