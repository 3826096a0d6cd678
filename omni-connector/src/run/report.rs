//! What a run has done so far, counted by the runtime from what was emitted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::telemetry::Progress;

/// How many skips, and how many failures, a report names one by one; and how many reasons it tells apart.
const NAMED: usize = 100;
/// How many items a report names of each reason at least.
pub(crate) const FIRST: usize = 3;
/// Where the reasons beyond that are counted.
const OTHER_REASONS: &str = "other reasons";

/// What a run has done so far. Served under `GET /sync/{id}/report` while the run lives and for a while after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunReport {
    /// Items looked at, those skipped and failed included.
    pub scanned: u64,
    /// Documents whose create or update the manager accepted.
    pub updated: u64,
    /// Documents whose delete the manager accepted.
    pub deleted: u64,
    /// Items left out on purpose, each with a reason.
    pub skipped: u64,
    /// How many were left out for which reason.
    pub reasons: BTreeMap<String, u64>,
    /// The first items that were left out.
    pub skips: Vec<Skip>,
    /// Items that should have arrived and did not.
    pub failed: u64,
    /// How many failed at which stage.
    pub failed_at: BTreeMap<Stage, u64>,
    /// The first items that failed.
    pub failures: Vec<Failure>,
    /// Deletes held back because there were suspiciously many.
    pub held_back: u64,
    /// Groups that documents name and that no run of the source ever sent: nobody reads a document by them.
    #[serde(default)]
    pub unsent_groups: u64,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_unsent_groups: Vec<String>,
    /// Bytes of content handed over.
    pub bytes: u64,
    /// Contents stored at the manager; fewer than `updated` when several documents had the same.
    pub contents: u64,
    /// What the run is working on.
    pub current: Option<String>,
    /// What the run waits for at the moment, such as the quota of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
}

/// One item that was left out on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Skip {
    /// The item.
    pub item: String,
    /// Why, in words that are the same for all items with this problem.
    pub reason: String,
    /// What exactly happened to this one, if there is more to say.
    pub detail: Option<String>,
}

/// One item that should have arrived and did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The item: the id of a document, or the address of a group or person.
    pub item: String,
    /// How far it came.
    pub stage: Stage,
    /// What happened.
    pub cause: String,
    /// Where people find it in the source, if that is known.
    pub link: Option<String>,
}

/// How far an item came before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// It could not be read from the source.
    Read,
    /// Who may read it is not known.
    Access,
    /// Its text could not be extracted.
    Extract,
    /// Its content was refused.
    Store,
    /// The event itself was refused.
    Send,
}

impl RunReport {
    /// The part that is counted across runs.
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

    /// `detail` is only asked for where it is kept.
    pub(crate) fn skip(
        &mut self,
        item: String,
        reason: String,
        detail: impl FnOnce() -> Option<String>,
    ) {
        self.skipped += 1;
        let is_new = !self.reasons.contains_key(&reason);
        let counted = if is_new && self.reasons.len() >= NAMED {
            OTHER_REASONS
        } else {
            &reason
        };
        *self.reasons.entry(counted.to_owned()).or_default() += 1;
        // Every reason has names, however late it comes up.
        let named = self.skips.iter().filter(|skip| skip.reason == reason);
        let is_first = counted == reason.as_str() && named.take(FIRST).count() < FIRST;
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

    pub(crate) fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        *self.failed_at.entry(failure.stage).or_default() += 1;
        if self.failures.len() < NAMED {
            self.failures.push(failure);
        }
    }
}

impl Failure {
    /// Logs it.
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
    fn a_reason_that_comes_up_late_has_names_as_well() {
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
    fn a_report_stays_small_whatever_the_reasons() {
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
