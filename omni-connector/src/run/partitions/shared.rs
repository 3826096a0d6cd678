//! The states of partitions, shared between the author's calls and the saves.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{PartitionKey, PartitionState};
use crate::{
    run::{
        Failure, RunError, Snapshot, inventory,
        keeper::{Piece, names},
        receipt::{Moment, Scope},
    },
    schema::{DecodeError, decode},
};

/// The key by which saved partitions are recognised. Its value is the version of the format.
const FORM: &str = "partitions";
const VERSION: u64 = 1;

pub(super) struct Shared<K, S>(Mutex<States<K, S>>);

struct States<K, S> {
    entries: BTreeMap<K, Entry<S>>,
    /// The run that completed the partitions marked as done.
    run: Option<String>,
    changes: u64,
}

struct Entry<S> {
    /// `None` during the work on the partition.
    state: Option<S>,
    /// The state that can be saved now.
    kept: Snapshot,
    /// The states that can be saved once everything emitted before them is settled.
    later: VecDeque<Commit>,
    /// This run has completed it.
    is_done: bool,
    /// This run had completed it before it was interrupted.
    was_done: bool,
    /// The partition is gone. It is removed once Omni has none of its documents.
    is_leaving: bool,
}

struct Commit {
    snapshot: Snapshot,
    is_done: bool,
    moment: Moment,
    scope: Arc<Scope>,
}

/// The format in which partitions are saved.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "K: PartitionKey", serialize = "K: PartitionKey"))]
struct Saved<K> {
    partitions: u64,
    states: BTreeMap<K, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    done: BTreeSet<K>,
}

impl<S: PartitionState> Entry<S> {
    fn of(state: S) -> Result<Self, RunError> {
        Ok(Self {
            kept: Snapshot::of(&state)?,
            state: Some(state),
            later: VecDeque::new(),
            is_done: false,
            was_done: false,
            is_leaving: false,
        })
    }
}

impl<S> Entry<S> {
    /// Applies the commits that are settled by now. Returns whether there were any.
    fn settle(&mut self) -> bool {
        let mut has_changed = false;
        while let Some(commit) = self
            .later
            .pop_front_if(|commit| commit.scope.is_past(commit.moment))
        {
            self.kept = commit.snapshot;
            self.is_done |= commit.is_done;
            has_changed = true;
        }
        has_changed
    }

    fn pieces(&self) -> impl Iterator<Item = &Arc<dyn Piece>> {
        let later = self.later.iter().map(|commit| &commit.snapshot);
        std::iter::once(&self.kept)
            .chain(later)
            .flat_map(Snapshot::pieces)
    }

    fn inventories(&self) -> Vec<Arc<inventory::Shared>> {
        let pieces = self.kept.pieces();
        pieces
            .flat_map(|piece| Arc::clone(piece).inventories())
            .collect()
    }
}

impl<K: PartitionKey, S: PartitionState> States<K, S> {
    fn settle(&mut self) {
        for entry in self.entries.values_mut() {
            self.changes += u64::from(entry.settle());
        }
        let before = self.entries.len();
        self.entries.retain(|_, entry| {
            let is_empty = |inventory: &Arc<inventory::Shared>| inventory.is_empty();
            !entry.is_leaving || !entry.inventories().iter().all(is_empty)
        });
        self.changes += (before - self.entries.len()) as u64;
    }

    fn write(&self, states: BTreeMap<K, Value>, with_done: bool) -> Value {
        let done = self.entries.iter();
        let done = done.filter(|(_, entry)| with_done && (entry.is_done || entry.was_done));
        let done: BTreeSet<K> = done.map(|(key, _)| key.clone()).collect();
        json!(Saved {
            partitions: VERSION,
            states,
            run: self.run.clone().filter(|_| !done.is_empty()),
            done,
        })
    }
}

impl<K: PartitionKey, S: PartitionState> Shared<K, S> {
    fn states(&self) -> MutexGuard<'_, States<K, S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keys(&self) -> Vec<K> {
        self.states().entries.keys().cloned().collect()
    }

    /// Reads saved partitions, or a plain map of keys to states.
    pub(super) fn read(saved: Value) -> Result<Self, String> {
        let saved: Saved<K> = match saved {
            Value::Null => return Ok(Self::default()),
            Value::Object(fields) if fields.get(FORM).is_some_and(Value::is_u64) => {
                if fields[FORM] != VERSION {
                    return Err(
                        "the partitions were saved by a newer version of the framework".to_owned(),
                    );
                }
                decode("partitions", fields.into()).map_err(|error| error.to_string())?
            }
            states => Saved {
                partitions: VERSION,
                states: decode("partitions", states).map_err(|error| error.to_string())?,
                run: None,
                done: BTreeSet::new(),
            },
        };
        let mut entries = BTreeMap::new();
        for (key, state) in saved.states {
            let state = decode::<S>("the state of a partition", state);
            let entry = state
                .map_err(|error| error.to_string())
                .and_then(|state| Entry::of(state).map_err(|error| error.to_string()))
                .map_err(|error| format!("`{key}`: {error}"))?;
            let was_done = saved.done.contains(&key);
            entries.insert(key, Entry { was_done, ..entry });
        }
        Ok(Self(Mutex::new(States {
            entries,
            run: saved.run,
            changes: 0,
        })))
    }

    /// Begins a run. Partitions that another run completed are worked on again.
    pub(super) fn begin(&self, run: &str, is_resume: bool) {
        let mut states = self.states();
        if !is_resume || states.run.as_deref() != Some(run) {
            for entry in states.entries.values_mut() {
                entry.was_done = false;
            }
        }
        states.run = Some(run.to_owned());
    }

    /// Returns whether this run had completed the partition before it was interrupted.
    pub(super) fn was_done(&self, key: &K) -> bool {
        self.states()
            .entries
            .get(key)
            .is_some_and(|entry| entry.was_done)
    }

    /// Takes the state of a partition for the work on it.
    pub(super) fn start(&self, key: &K) -> anyhow::Result<S> {
        let mut states = self.states();
        states.changes += 1;
        if !states.entries.contains_key(key) {
            let entry = Entry::of(S::default())?;
            states.entries.insert(key.clone(), entry);
        }
        let Some(entry) = states.entries.get_mut(key) else {
            unreachable!("it was just inserted");
        };
        entry.settle();
        // Everything that is not settled by now is read again.
        entry.later.clear();
        entry.is_leaving = false;
        if let Some(state) = entry.state.take() {
            return Ok(state);
        }
        let state = decode::<S>("the state of a partition", entry.kept.render())?;
        entry.kept = Snapshot::of(&state)?;
        Ok(state)
    }

    /// Takes the state back after the work on a partition.
    pub(super) fn give_back(&self, key: &K, state: S) {
        if let Some(entry) = self.states().entries.get_mut(key) {
            entry.state = Some(state);
        }
    }

    /// Records the state. It can be saved once everything emitted in the partition is settled.
    pub(super) fn commit(
        &self,
        key: &K,
        state: &S,
        scope: &Arc<Scope>,
        is_done: bool,
    ) -> Result<(), RunError> {
        let snapshot = Snapshot::of(state)?;
        let mut states = self.states();
        states.changes += 1;
        if let Some(entry) = states.entries.get_mut(key) {
            entry.later.push_back(Commit {
                snapshot,
                is_done,
                moment: scope.now(),
                scope: Arc::clone(scope),
            });
            entry.settle();
        }
        Ok(())
    }

    /// Ends the work on a partition without an error, and commits its state.
    pub(super) fn done(&self, key: &K, scope: &Arc<Scope>) -> anyhow::Result<()> {
        let state = self
            .states()
            .entries
            .get_mut(key)
            .and_then(|entry| entry.state.take());
        let Some(state) = state else {
            anyhow::bail!(
                "the partition is still used by another task\nhelp: await that task before the work ends"
            );
        };
        let committed = self.commit(key, &state, scope, true);
        self.give_back(key, state);
        Ok(committed?)
    }

    /// Ends the work on a partition with an error. The next work begins with the state that can be saved.
    pub(super) fn failed(&self, key: &K) {
        if let Some(entry) = self.states().entries.get_mut(key) {
            entry.state = None;
        }
    }

    /// Returns the inventories of the listed partitions, and those of the others.
    pub(super) fn inventories(&self, listed: &BTreeSet<K>) -> [Vec<Arc<inventory::Shared>>; 2] {
        let states = self.states();
        let mut both = [Vec::new(), Vec::new()];
        for (key, entry) in &states.entries {
            both[usize::from(!listed.contains(key))].extend(entry.inventories());
        }
        both
    }

    /// Marks the partitions that are not listed as gone.
    pub(super) fn leave(&self, listed: &BTreeSet<K>) {
        let mut states = self.states();
        states.changes += 1;
        for (key, entry) in &mut states.entries {
            entry.is_leaving |= !listed.contains(key);
        }
    }
}

impl<K: PartitionKey, S: PartitionState> Piece for Shared<K, S> {
    fn saved(&self) -> Value {
        let mut states = self.states();
        states.settle();
        let entries = states.entries.iter();
        let saved = entries.map(|(key, entry)| (key.clone(), entry.kept.render()));
        states.write(saved.collect(), true)
    }

    fn for_full_run(&self) -> Option<Value> {
        let mut states = self.states();
        states.settle();
        let fresh = |(key, entry): (&K, &Entry<S>)| {
            let state: Result<S, DecodeError> = entry.kept.for_full_run();
            // The state was written by the same type.
            let snapshot = Snapshot::of(&state.unwrap_or_default()).unwrap_or_default();
            (key.clone(), snapshot.render())
        };
        let saved = states.entries.iter().map(fresh).collect();
        Some(states.write(saved, false))
    }

    fn changes(&self) -> u64 {
        let mut states = self.states();
        states.settle();
        let pieces = states.entries.values().flat_map(Entry::pieces);
        states.changes + pieces.map(|piece| piece.changes()).sum::<u64>()
    }

    fn named(&self, number: u64) {
        for entry in self.states().entries.values() {
            entry.pieces().for_each(|piece| piece.named(number));
        }
    }

    fn missing(&self) -> Vec<Failure> {
        let states = self.states();
        let pieces = states
            .entries
            .values()
            .flat_map(|entry| entry.kept.pieces());
        pieces.flat_map(|piece| piece.missing()).collect()
    }

    fn has(&self, piece: &dyn Piece) -> bool {
        let states = self.states();
        let mut pieces = states.entries.values().flat_map(Entry::pieces);
        pieces.any(|known| names(&**known, piece))
    }

    fn inventories(self: Arc<Self>) -> Vec<Arc<inventory::Shared>> {
        let states = self.states();
        states
            .entries
            .values()
            .flat_map(Entry::inventories)
            .collect()
    }
}

impl<K, S> Default for Shared<K, S> {
    fn default() -> Self {
        Self(Mutex::new(States {
            entries: BTreeMap::new(),
            run: None,
            changes: 0,
        }))
    }
}

impl<K, S> fmt::Debug for Shared<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Shared")
            .field("partitions", &states.entries.len())
            .finish_non_exhaustive()
    }
}
