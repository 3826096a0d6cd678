//! The report of a run, counted by the runtime.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::telemetry::Progress;

/// The number of skips, of failures, and of distinct reasons that a report lists.
const NAMED: usize = 100;
/// The number of items that a report names for each reason or cause, even beyond that limit.
pub(crate) const FIRST: usize = 3;
/// The entries that count reasons and causes beyond the limit.
const OTHER_REASONS: &str = "other reasons";
pub(crate) const OTHER_CAUSES: &str = "other causes";

/// The counts of a run so far. Served under `GET /sync/{id}/report` during the run and for a while after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunReport {
    /// Scanned items, including those skipped and failed.
    pub scanned: u64,
    /// Documents whose create or update the manager accepted.
    pub updated: u64,
    /// Documents whose delete the manager accepted.
    pub deleted: u64,
    /// Items skipped on purpose, each with a reason.
    pub skipped: u64,
    /// The number of skipped items for each reason.
    pub reasons: BTreeMap<String, u64>,
    /// The first skipped items.
    pub skips: Vec<Skip>,
    /// Items that should have arrived and did not.
    pub failed: u64,
    /// The number of failed items for each stage.
    pub failed_at: BTreeMap<Stage, u64>,
    /// The number of failed items for each cause.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub causes: BTreeMap<String, u64>,
    /// The first items that failed, and the first of each cause.
    pub failures: Vec<Failure>,
    /// Deletes held back because there were suspiciously many.
    pub held_back: u64,
    /// Groups named by documents that no run of the source ever sent. They give nobody access.
    #[serde(default)]
    pub unsent_groups: u64,
    /// The first of these groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_unsent_groups: Vec<String>,
    /// Users named by documents, groups and people's records that are not e-mail addresses. They give nobody access.
    #[serde(default)]
    pub odd_users: u64,
    /// The first of these users.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_odd_users: Vec<String>,
    /// Documents that the run sent more than once.
    #[serde(default)]
    pub repeated_documents: u64,
    /// The first of these documents, and how often each was sent. Two items may have the same id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub repeated: BTreeMap<String, u64>,
    /// Bytes of content handed over.
    pub bytes: u64,
    /// Contents stored at the manager. Fewer than `updated` when several documents have the same content.
    pub contents: u64,
    /// The item that the run is working on.
    pub current: Option<String>,
    /// The reason why the run waits, such as the quota of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    /// Whether a function with `#[refetch]` fetched the only wanted item.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_refetch: bool,
}

/// An item that was skipped on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Skip {
    /// The item.
    pub item: String,
    /// The reason, as a sentence that is the same for all items with this problem.
    pub reason: String,
    /// A detail about this item, if there is one.
    pub detail: Option<String>,
}

/// An item that should have arrived and did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The item: the id of a document, or the address of a group or person.
    pub item: String,
    /// The stage at which it failed.
    pub stage: Stage,
    /// The cause.
    pub cause: String,
    /// The item's link in the source, if that is known.
    pub link: Option<String>,
}

/// The stage at which an item failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// It could not be read from the source.
    Read,
    /// Its readers are unknown.
    Access,
    /// Its text could not be extracted.
    Extract,
    /// Its content was refused.
    Store,
    /// The event itself was refused.
    Send,
}

impl RunReport {
    /// Returns the counts that metrics add up across runs.
    pub(crate) const fn progress(&self) -> Progress {
        Progress {
            outcomes: [
                self.scanned,
                self.updated,
                self.deleted,
                self.skipped,
                self.failed,
            ],
            bytes: self.bytes,
        }
    }

    /// Records a skip. Calls `detail` only if the report keeps it.
    pub(crate) fn skip(
        &mut self,
        item: String,
        reason: String,
        detail: impl FnOnce() -> Option<String>,
    ) {
        self.skipped += 1;
        let is_counted = count(&mut self.reasons, &reason, OTHER_REASONS);
        // Every reason has named items, even a late one.
        let named = self.skips.iter().filter(|skip| skip.reason == reason);
        let is_first = is_counted && named.take(FIRST).count() < FIRST;
        if self.skips.len() < NAMED || is_first {
            let detail = detail();
            self.skips.push(Skip {
                item,
                reason,
                detail,
            });
        }
    }

    pub(crate) fn name_unsent_groups(&mut self, mut groups: Vec<String>) {
        self.unsent_groups = groups.len() as u64;
        groups.truncate(NAMED);
        self.first_unsent_groups = groups;
    }

    pub(crate) fn name_odd_users(&mut self, mut users: Vec<String>) {
        self.odd_users = users.len() as u64;
        users.truncate(NAMED);
        self.first_odd_users = users;
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        *self.failed_at.entry(failure.stage).or_default() += 1;
        let is_counted = count(&mut self.causes, &failure.cause, OTHER_CAUSES);
        let named = self.failures.iter();
        let named = named.filter(|named| named.cause == failure.cause);
        let is_first = is_counted && named.take(FIRST).count() < FIRST;
        if self.failures.len() < NAMED || is_first {
            self.failures.push(failure);
        }
    }
}

/// Counts an item by its reason, or under `others` if there are too many reasons. Returns whether it has its own entry.
fn count(counts: &mut BTreeMap<String, u64>, reason: &str, others: &str) -> bool {
    if let Some(count) = counts.get_mut(reason) {
        *count += 1;
        return true;
    }
    let is_counted = counts.len() < NAMED;
    let entry = if is_counted { reason } else { others };
    *counts.entry(entry.to_owned()).or_default() += 1;
    is_counted
}

impl Failure {
    /// Logs the failure.
    pub(crate) fn log(&self) {
        tracing::warn!(
            item = self.item,
            stage = ?self.stage,
            cause = self.cause,
            link = self.link,
            "an item failed"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reason_also_names_its_items() {
        let mut report = RunReport::default();
        for n in 0..1_000 {
            report.skip(n.to_string(), "too large".to_owned(), || None);
        }
        for n in 0..10 {
            report.skip(format!("late {n}"), "unreadable".to_owned(), || None);
        }
        let late = report
            .skips
            .iter()
            .filter(|skip| skip.reason == "unreadable");
        assert_eq!((late.count(), report.skips.len()), (FIRST, NAMED + FIRST));
    }

    #[test]
    fn a_report_with_many_reasons_stays_small() {
        let mut report = RunReport::default();
        for n in 0..1_000 {
            report.skip(n.to_string(), format!("reason {n}"), || None);
        }
        assert_eq!(
            (report.skipped, report.skips.len(), report.reasons.len()),
            (1_000, NAMED, NAMED + 1)
        );
        assert_eq!(report.reasons[OTHER_REASONS], 900);
    }
}
