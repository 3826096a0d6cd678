//! What a run has done so far, counted by the runtime from what was emitted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many skipped items a report names one by one.
const NAMED_SKIPS: usize = 100;

/// What a run has done so far. Served under `GET /sync/{id}/report` while the run lives and for a while after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// Items looked at, skipped ones included.
    pub scanned: u64,
    /// Documents whose create or update the manager accepted.
    pub updated: u64,
    /// Documents whose delete the manager accepted.
    pub deleted: u64,
    /// Items left out, each with a reason.
    pub skipped: u64,
    /// How many were left out for which reason.
    pub reasons: BTreeMap<String, u64>,
    /// The first items that were left out.
    pub skips: Vec<Skip>,
    /// Deletes held back because there were suspiciously many.
    pub held_back: u64,
    /// Bytes of content handed over.
    pub bytes: u64,
    /// Contents stored at the manager; fewer than `updated` when several documents had the same.
    pub contents: u64,
    /// What the run is working on.
    pub current: Option<String>,
}

/// One item that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// The item.
    pub item: String,
    /// Why, in words that are the same for all items with this problem.
    pub reason: String,
    /// What exactly happened to this one, if there is more to say.
    pub detail: Option<String>,
}

impl RunReport {
    pub(crate) fn skip(&mut self, skip: Skip) {
        self.skipped += 1;
        *self.reasons.entry(skip.reason.clone()).or_default() += 1;
        if self.skips.len() < NAMED_SKIPS {
            self.skips.push(skip);
        }
    }
}
