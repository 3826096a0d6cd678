//! What a walk has seen of an inventory, and what it lacks at its end.

use std::{collections::VecDeque, sync::Arc};

use serde_json::Value;

use super::{
    super::{Part, segment::Seen},
    FailedPart, Outcome, State,
};
use crate::run::{
    Failure,
    listing::is_suspicious,
    receipt::{Moment, Scope},
};

/// A walk that the run that began it can resume.
#[derive(Debug)]
pub(in crate::run::inventory) struct OpenWalk {
    pub(in crate::run::inventory) run: String,
    /// The point from which it can be resumed.
    at: Option<Value>,
    /// Later points. Each counts once everything emitted before it is settled.
    later: VecDeque<(Value, Moment, Arc<Scope>)>,
}

impl OpenWalk {
    pub(in crate::run::inventory) const fn interrupted(run: String, at: Value) -> Self {
        Self {
            run,
            at: Some(at),
            later: VecDeque::new(),
        }
    }

    pub(in crate::run::inventory) const fn begin(run: String) -> Self {
        Self {
            run,
            at: None,
            later: VecDeque::new(),
        }
    }

    pub(in crate::run::inventory) fn reach(&mut self, at: Value, scope: &Arc<Scope>) {
        self.later.push_back((at, scope.now(), Arc::clone(scope)));
    }

    /// Returns the latest point before which everything is settled.
    pub(in crate::run::inventory) fn reached(&mut self) -> Option<&Value> {
        while let Some((at, ..)) = self
            .later
            .pop_front_if(|(_, moment, scope)| scope.is_past(*moment))
        {
            self.at = Some(at);
        }
        self.at.as_ref()
    }
}

/// The result of a finished walk.
#[derive(Debug, Default)]
pub(in crate::run::inventory) struct Unseen {
    pub(in crate::run::inventory) ids: Vec<String>,
    pub(in crate::run::inventory) known: usize,
    pub(in crate::run::inventory) is_suspicious: bool,
}

impl State {
    /// Begins a walk over the documents of a part.
    pub(in crate::run::inventory) fn begin_walk(&mut self, part: &Part) {
        self.walk = None;
        self.came = 0;
        self.forget_failed_parts(part);
        for prefix in part.prefixes_of_ids() {
            self.table.change_below(prefix, |id, mark| {
                if part.has(id) {
                    mark.seen = Seen::No;
                }
            });
        }
        let missing = self.missing.iter_mut();
        for (_, why) in missing.filter(|(id, _)| part.has(id)) {
            why.is_seen = false;
        }
    }

    /// Records a part that could not be listed.
    pub(in crate::run::inventory) fn part_failed(&mut self, part: &Part, failure: &Failure) {
        let prefixes = part.prefixes_of_ids().into_iter();
        let failed = FailedPart {
            prefixes: prefixes.map(str::to_owned).collect(),
            cause: failure.cause.clone(),
            link: failure.link.clone(),
            is_reported: true,
        };
        self.failed_parts.insert(failure.item.clone(), failed);
        self.changes += 1;
    }

    /// Forgets the failed parts within a part.
    pub(in crate::run::inventory) fn forget_failed_parts(&mut self, part: &Part) {
        self.failed_parts
            .retain(|_, failed| !failed.prefixes.iter().all(|prefix| part.has(prefix)));
    }

    /// Ends a complete walk over the documents of a part. Missing documents that are unknown and were not seen are
    /// gone.
    pub(in crate::run::inventory) fn end_walk(&mut self, part: &Part) {
        self.walk = None;
        self.changes += 1;
        self.lacking = None;
        let table = &self.table;
        self.missing
            .retain(|id, why| !part.has(id) || why.is_seen || table.get(id).is_some());
        for why in self.missing.values_mut() {
            why.is_seen = false;
        }
    }

    /// Keeps all known documents of a part.
    pub(in crate::run::inventory) fn keep(&mut self, part: &Part) {
        for prefix in part.prefixes_of_ids() {
            self.table.change_below(prefix, |id, mark| {
                if part.has(id) && mark.seen == Seen::No {
                    mark.seen = Seen::Kept;
                }
            });
        }
        let missing = self.missing.iter_mut();
        for (_, why) in missing.filter(|(id, _)| part.has(id)) {
            why.is_seen = true;
        }
    }

    pub(in crate::run::inventory) fn see(&mut self, id: &str) {
        if let Some(why) = self.missing.get_mut(id) {
            why.is_seen = true;
        }
        self.table.change(id, |mark| {
            if mark.seen == Seen::No {
                mark.seen = Seen::Kept;
            }
        });
    }

    /// Returns the known documents that a walk of a part did not see.
    pub(in crate::run::inventory) fn unseen(&self, part: &Part, share: f64) -> Unseen {
        let (mut candidates, mut seen) = (Vec::new(), 0);
        let (mut known_here, mut deleted) = (0, 0);
        for prefix in part.prefixes_of_ids() {
            self.table.each_below(prefix, |id, mark| {
                if !part.has(id) {
                    return;
                }
                known_here += 1;
                let under_way = self.under_way.get(id).map(|it| it.outcome);
                if matches!(under_way, Some(Outcome::Gone)) {
                    // The source named it as deleted, so it counts neither as lost nor as present.
                    deleted += 1;
                } else if mark.seen == Seen::No {
                    candidates.push(id.to_owned());
                } else {
                    seen += 1;
                }
            });
        }
        // Children of a document that was kept without being sent are kept as well.
        let is_kept = |id: &String| {
            let mut at = id.as_str();
            // No source nests deeper. The limit also ends a cycle of parents.
            for _ in 0..8 {
                let Some(parent) = self.table.parent(at) else {
                    return false;
                };
                match self.table.get(parent).map(|parent| parent.seen) {
                    Some(Seen::Kept) => return true,
                    Some(Seen::No) => at = parent,
                    Some(Seen::Sent) | None => return false,
                }
            }
            false
        };
        let ids: Vec<_> = candidates.into_iter().filter(|id| !is_kept(id)).collect();
        let elsewhere = self.table.len() - known_here;
        let known = self.table.len() - deleted;
        // A moved document arrived under another id. Only documents without such a replacement are lost.
        let came = self.came.min(known);
        let lost = ids.len().saturating_sub(came);
        Unseen {
            is_suspicious: is_suspicious(lost, known - came, seen + elsewhere, share),
            ids,
            known,
        }
    }
}
