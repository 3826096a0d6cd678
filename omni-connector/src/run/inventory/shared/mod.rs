//! The state of an inventory, shared between the author's calls, the tasks that send, and the saves.

mod walked;

pub(super) use walked::OpenWalk;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Part, form,
    segment::{Fingerprint, Mark, Seen},
    table::Table,
};
use crate::run::{
    Failure, Stage,
    keeper::{Keeper, Piece},
    parts,
};

/// The state of one inventory.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<State>);

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) table: Table,
    /// The outcome of each document's latest event, for events that are not accepted yet.
    under_way: HashMap<Box<str>, UnderWay>,
    tokens: u64,
    /// Documents that are missing in Omni, or not there in their latest version.
    pub(super) missing: BTreeMap<Box<str>, Missing>,
    /// Parts that could not be listed, by their names. A walk that begins anew tries them again.
    pub(super) failed_parts: BTreeMap<String, FailedPart>,
    /// The parents of the missing documents. Filled by the first query.
    lacking: Option<HashSet<Box<str>>>,
    /// The current walk, if it can be resumed.
    pub(super) walk: Option<OpenWalk>,
    /// All numbers up to this one are named in an accepted save.
    named: u64,
    changes: u64,
    /// The number of documents that were sent by the current walk and not known before.
    came: usize,
}

#[derive(Debug, Clone, Copy)]
struct UnderWay {
    token: u64,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Has(Fingerprint),
    Gone,
}

/// The reason why a document is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Missing {
    pub(super) stage: Stage,
    pub(super) cause: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
    /// The document that it belongs to, which must be sent again with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<Box<str>>,
    /// It failed in this process, so the report already has it.
    #[serde(skip)]
    pub(super) is_reported: bool,
    /// The current walk has seen it. A resumed walk continues behind it.
    #[serde(default, rename = "seen", skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_seen: bool,
}

/// A part that could not be listed. A resumed walk may continue behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FailedPart {
    /// Prefixes that cover its ids.
    prefixes: Vec<String>,
    cause: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// It failed in this process, so the report already has it.
    #[serde(skip)]
    is_reported: bool,
}

/// An event that will be sent: its token, and the number that a save must name first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Announced {
    pub(crate) token: u64,
    pub(crate) number: u64,
}

impl Shared {
    pub(super) fn of(state: State) -> Arc<Self> {
        Arc::new(Self(Mutex::new(state)))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn len(&self) -> usize {
        self.state().table.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.state().table.get(id).is_some()
    }

    /// Returns the ids of all known documents.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        self.state()
            .table
            .each_below("", |id, _| ids.push(id.to_owned()));
        ids
    }

    /// Forgets a document that now belongs to another inventory.
    pub(crate) fn forget(&self, id: &str) {
        let mut state = self.state();
        state.table.remove(id);
        state.changes += 1;
    }

    /// Forgets all missing documents: everything in the inventory is gone.
    pub(crate) fn nothing_is_missing(&self) {
        let mut state = self.state();
        state.missing.clear();
        state.failed_parts.clear();
        state.lacking = None;
        state.changes += 1;
    }

    /// Records that a delete of the document will be sent.
    pub(crate) fn deletes(&self, id: &str) -> Announced {
        self.state().deletes(id)
    }

    /// Records that the manager accepted an event of the document.
    pub(crate) fn accepted(&self, id: &str, token: u64) {
        let mut state = self.state();
        let Some(under_way) = state.take_under_way(id, token) else {
            return;
        };
        match under_way.outcome {
            Outcome::Has(fingerprint) => {
                state
                    .table
                    .change(id, |mark| mark.fingerprint = fingerprint);
                state.is_no_longer_missing(id);
            }
            Outcome::Gone => {
                state.table.remove(id);
                state.is_no_longer_missing(id);
            }
        }
        state.changes += 1;
    }

    /// Records that a document failed. Without a token it failed before an event of it was emitted.
    pub(crate) fn failed(
        &self,
        id: &str,
        parent: Option<&str>,
        failure: &Failure,
        token: Option<u64>,
    ) {
        let mut state = self.state();
        if let Some(token) = token
            && state.take_under_way(id, token).is_none()
        {
            return;
        }
        let parent = parent.or_else(|| state.table.parent(id)).map(Into::into);
        let missing = Missing {
            parent,
            stage: failure.stage,
            cause: failure.cause.clone(),
            link: failure.link.clone(),
            is_reported: true,
            is_seen: true,
        };
        state.missing.insert(id.into(), missing);
        state.lacking = None;
        state.changes += 1;
    }
}

impl State {
    fn take_under_way(&mut self, id: &str, token: u64) -> Option<UnderWay> {
        // Only the latest event of a document counts.
        let latest = self.under_way.get(id).filter(|it| it.token == token)?;
        let latest = *latest;
        self.under_way.remove(id);
        Some(latest)
    }

    fn begin(&mut self, id: &str, outcome: Outcome) -> u64 {
        self.tokens += 1;
        let token = self.tokens;
        self.under_way
            .insert(id.into(), UnderWay { token, outcome });
        token
    }

    /// Records that a document will be sent. It is known from now on, without a version.
    pub(super) fn sends(
        &mut self,
        id: &str,
        parent: Option<&str>,
        fingerprint: Fingerprint,
        keeper: &Keeper,
    ) -> Announced {
        self.changes += 1;
        let mark = Mark {
            fingerprint: Fingerprint::NONE,
            seen: Seen::Sent,
        };
        if !self.table.change(id, |known| *known = mark) {
            let number = keeper.number();
            self.table.insert(id, mark, parent, number);
            self.came += 1;
        } else if let Some(parent) = parent
            && self.table.parent(id) != Some(parent)
        {
            self.table.adopt(id, parent);
        }
        let number = self.table.since(id);
        let number = if keeper.is_named(number) { 0 } else { number };
        let token = self.begin(id, Outcome::Has(fingerprint));
        Announced { token, number }
    }

    /// Records that a delete of the document will be sent. The document stays known until it is accepted.
    pub(super) fn deletes(&mut self, id: &str) -> Announced {
        self.changes += 1;
        self.table
            .change(id, |mark| mark.fingerprint = Fingerprint::NONE);
        Announced {
            token: self.begin(id, Outcome::Gone),
            number: 0,
        }
    }

    /// Returns the ids of all known documents in a part.
    pub(super) fn ids_in(&self, part: &Part) -> Vec<String> {
        let mut ids = Vec::new();
        for prefix in part.prefixes_of_ids() {
            self.table.each_below(prefix, |id, _| {
                if part.has(id) {
                    ids.push(id.to_owned());
                }
            });
        }
        ids
    }

    /// Notes a change of the saved state.
    pub(super) fn touch(&mut self) {
        self.changes += 1;
    }

    /// Returns the version of a document in Omni, once all pending events are accepted.
    pub(super) fn fingerprint(&self, id: &str) -> Option<Fingerprint> {
        match self.under_way.get(id).map(|it| it.outcome) {
            Some(Outcome::Has(fingerprint)) => Some(fingerprint),
            Some(Outcome::Gone) => None,
            None => self.table.get(id).map(|mark| mark.fingerprint),
        }
    }

    fn is_no_longer_missing(&mut self, id: &str) {
        if self.missing.remove(id).is_some() {
            self.lacking = None;
        }
    }

    /// Returns whether a document that belongs to this one is missing.
    pub(super) fn lacks_a_child(&mut self, id: &str) -> bool {
        if self.missing.is_empty() {
            return false;
        }
        let missing = &self.missing;
        let parents = || missing.values().filter_map(|why| why.parent.clone());
        self.lacking
            .get_or_insert_with(|| parents().collect())
            .contains(id)
    }

    /// Returns the documents that continued the text of this one, after the first `pieces`.
    pub(super) fn pieces_behind(&self, id: &str, pieces: usize) -> Vec<String> {
        let behind = (pieces.max(1) + 1..).map(|number| parts::id(id, number));
        behind
            .take_while(|piece| self.table.parent(piece) == Some(id))
            .collect()
    }

    /// Forgets all versions, and keeps the ids.
    pub(super) fn forget_versions(&mut self) {
        self.table
            .change_below("", |_, mark| mark.fingerprint = Fingerprint::NONE);
    }
}

impl Piece for Shared {
    fn inventories(self: Arc<Self>) -> Vec<Arc<Self>> {
        vec![self]
    }

    fn saved(&self) -> Value {
        form::write(&mut self.state())
    }

    fn for_full_run(&self) -> Option<Value> {
        let mut state = self.state();
        state.forget_versions();
        state.walk = None;
        Some(form::write(&mut state))
    }

    fn changes(&self) -> u64 {
        self.state().changes
    }

    fn named(&self, number: u64) {
        let mut state = self.state();
        state.named = state.named.max(number);
        let named = state.named;
        state.table.settle(named);
    }

    fn missing(&self) -> Vec<Failure> {
        let state = self.state();
        let parts = state.failed_parts.iter();
        let parts = parts.filter(|(_, why)| !why.is_reported);
        let parts = parts.map(|(name, why)| Failure {
            item: name.clone(),
            stage: Stage::Read,
            cause: why.cause.clone(),
            link: why.link.clone(),
        });
        let missing = state.missing.iter().filter(|(_, why)| !why.is_reported);
        let missing = missing.map(|(id, why)| Failure {
            item: id.to_string(),
            stage: why.stage,
            cause: why.cause.clone(),
            link: why.link.clone(),
        });
        parts.chain(missing).collect()
    }
}
