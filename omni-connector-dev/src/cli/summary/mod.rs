//! The summary of a run, for people and for programs.

mod write;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use indicatif::HumanCount;
use omni_connector::{Failure, Manifest, RunReport, Skip, SyncType};
use serde::Serialize;

use super::{Code, files::FileNotes};
use crate::{
    rules::Progress,
    store::{
        runs::{RefusedEvent, RunEffects, RunStatus},
        search::SourceName,
        sources::SourceRecord,
        textless::{Textless, TextlessFile},
    },
};

/// The number of items named per reason.
const NAMED_ITEMS: usize = 3;

/// The end of a run, as reported by the manager and the connector.
pub(super) struct End {
    pub progress: Progress,
    /// The number of documents that the run had sent before this command resumed it.
    pub earlier_documents: u64,
    pub report: Option<RunReport>,
    pub is_interrupted: bool,
    /// Files that became documents without text, as far as they are listed.
    pub textless: Textless,
    /// Text that was lost from files, and text that Omni would lose.
    pub files: FileNotes,
    /// The number of warnings and errors in the connector's log, and its path.
    pub warnings: Option<(u64, PathBuf)>,
}

/// The summary of a run. Programs rely on the names of its fields.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    status: Status,
    error: Option<String>,
    run_id: String,
    mode: SyncType,
    connector: Connector,
    source: SourceName,
    /// Items that the connector examined.
    scanned: u64,
    created: u64,
    updated: u64,
    /// Items that the connector examined and did not change.
    unchanged: u64,
    deleted: u64,
    /// The next eight are none for a connector without reports.
    skipped: Option<u64>,
    skip_reasons: Option<BTreeMap<String, u64>>,
    skips: Option<Vec<Skip>>,
    /// Items that should have arrived but did not, and the first of them.
    failed: Option<u64>,
    failures: Option<Vec<Failure>>,
    deletes_held_back: Option<u64>,
    /// Groups in permissions that no run has sent.
    unsent_groups: Option<Vec<String>>,
    /// Users in permissions, groups and records of people that are not e-mail addresses.
    odd_users: Option<Vec<String>>,
    /// Documents that the run sent more than once, and how often.
    repeated: Option<BTreeMap<String, u64>>,
    /// What a completed run lacks, such as `1 item did not arrive`. With `--strict` the exit code is 4 unless this is empty.
    lacks: Vec<String>,
    /// Accepted events that could not be applied, and the first of them.
    refused: u64,
    refusals: Vec<RefusedEvent>,
    /// Files whose text could not be read, and the first of them.
    textless: u64,
    textless_files: Vec<TextlessFile>,
    /// Text that was lost from files, and text that Omni would lose.
    files: FileNotes,
    /// Warnings and errors in the connector's log.
    warnings: Option<u64>,
    log: Option<PathBuf>,
    /// The bytes of content that the connector sent.
    bytes: u64,
    /// Texts that were new to the store.
    contents_stored: u64,
    seconds: f64,
    documents_per_second: f64,
    store: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Completed,
    Failed,
    Cancelled,
    Interrupted,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

#[derive(Debug, Serialize)]
struct Connector {
    id: String,
    version: String,
}

impl Summary {
    pub(super) fn new(
        manifest: &Manifest,
        source: &SourceRecord,
        end: End,
        refusals: Vec<RefusedEvent>,
        took: Duration,
        store: &Path,
    ) -> Self {
        let End {
            progress: Progress { run, effects },
            earlier_documents,
            report,
            is_interrupted,
            textless,
            files,
            warnings,
        } = end;
        let status = match run.status {
            RunStatus::Completed => Status::Completed,
            _ if is_interrupted => Status::Interrupted,
            RunStatus::Cancelled => Status::Cancelled,
            RunStatus::Failed | RunStatus::Running => Status::Failed,
        };
        let lacks = lacks(&effects, report.as_ref(), &textless, &files);
        let documents = effects.documents().saturating_sub(earlier_documents);
        let scanned = u64::try_from(run.documents_scanned).unwrap_or_default();
        let seconds = took.as_secs_f64();
        Self {
            status,
            error: run.error_message.map(|error| readable(&error)),
            run_id: run.id,
            mode: run.sync_type,
            connector: Connector {
                id: manifest.connector_id.clone(),
                version: manifest.version.clone(),
            },
            source: SourceName {
                id: source.id.clone(),
                name: source.name.clone(),
                source_type: source.source_type.clone(),
            },
            scanned: report.as_ref().map_or(scanned, |report| report.scanned),
            created: effects.created,
            updated: effects.updated,
            unchanged: unchanged(&effects, report.as_ref()),
            deleted: effects.deleted,
            skipped: report.as_ref().map(|report| report.skipped),
            skip_reasons: report.as_ref().map(|report| report.reasons.clone()),
            deletes_held_back: report.as_ref().map(|report| report.held_back),
            unsent_groups: report
                .as_ref()
                .map(|report| report.first_unsent_groups.clone()),
            odd_users: report.as_ref().map(|report| report.first_odd_users.clone()),
            repeated: report.as_ref().map(|report| report.repeated.clone()),
            bytes: report
                .as_ref()
                .map_or(effects.content_bytes, |report| report.bytes),
            failed: report.as_ref().map(|report| report.failed),
            failures: report.as_ref().map(|report| report.failures.clone()),
            skips: report.map(|report| report.skips),
            lacks,
            refused: effects.refused,
            textless: textless.total,
            textless_files: textless.files,
            files,
            warnings: warnings.as_ref().map(|(count, _)| *count),
            log: warnings.map(|(_, log)| log),
            refusals,
            contents_stored: effects.contents_stored,
            seconds,
            #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
            documents_per_second: documents as f64 / seconds,
            store: store.to_owned(),
        }
    }

    /// Returns the exit code. With `strict`, a completed run that lacks something has its own.
    pub(super) fn code(&self, strict: bool) -> Code {
        match self.status {
            Status::Completed if strict && !self.lacks.is_empty() => Code::Incomplete,
            Status::Completed => Code::Done,
            Status::Failed | Status::Cancelled => Code::Failed,
            Status::Interrupted => Code::Interrupted,
        }
    }

    /// Whether the run was stopped before its end.
    pub(super) fn is_cancelled(&self) -> bool {
        self.status == Status::Cancelled
    }

    fn has_changed_nothing(&self) -> bool {
        self.created + self.updated + self.deleted + self.refused == 0
    }
}

/// Returns what a completed run lacks. Items that were skipped on purpose are no lack, nor is text that only Omni loses.
fn lacks(
    effects: &RunEffects,
    report: Option<&RunReport>,
    textless: &Textless,
    files: &FileNotes,
) -> Vec<String> {
    let unknown = RunReport::default();
    let report = report.unwrap_or(&unknown);
    // Connectors of an earlier version give only the first ids.
    let repeated = report.repeated_documents.max(report.repeated.len() as u64);
    [
        // Failed items, and those that Omni refuses.
        (report.failed + effects.refused, "item", "did not arrive"),
        (textless.total, "file", "without text"),
        (files.partly_read(), "file", "read only in part"),
        (report.held_back, "delete", "held back"),
        (repeated, "document", "sent more than once"),
        (report.unsent_groups, "group", "that no run ever sent"),
        (report.odd_users, "user", "not named by an e-mail address"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, noun, what)| format!("{} {what}", counted(count, noun)))
    .collect()
}

/// Returns the number of examined items that did not change. Some connectors detect these themselves and send nothing.
/// Others send everything again, and Omni detects them.
fn unchanged(effects: &RunEffects, report: Option<&RunReport>) -> u64 {
    let left = report.map_or(0, |report| {
        let others = effects.created + effects.updated + effects.refused;
        report
            .scanned
            .saturating_sub(others + report.skipped + report.failed)
    });
    left.max(effects.unchanged)
}

/// Returns the connector's own message. The status is left out; the connector's log has it.
fn readable(error: &str) -> String {
    let answer = error
        .strip_prefix("Connector returned error: status=")
        .and_then(|rest| rest.split_once(", message="));
    let Some((_, body)) = answer else {
        return error.to_owned();
    };
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let said = json.as_ref().and_then(|json| {
        let texts = [&json["error"], &json["message"]];
        texts.into_iter().find_map(serde_json::Value::as_str)
    });
    said.unwrap_or(body).to_owned()
}

/// Tells people how many warnings are in the log of a connector.
pub(super) fn warnings_in(warnings: u64, log: &Path) -> String {
    format!(
        "{} of the connector in `{}`; `--verbose` shows them at once",
        counted(warnings, "warning"),
        log.display()
    )
}

/// Formats a number with its noun.
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_connector_said_is_shown_without_its_wrapping() {
        let wrapped = r#"Connector returned error: status=400, message={"status":"error","error":"invalid config: `a`"}"#;
        assert_eq!(readable(wrapped), "invalid config: `a`");
        let plain = "Connector returned error: status=502, message=<html>";
        assert_eq!(readable(plain), "<html>");
        assert_eq!(readable("the folder is gone"), "the folder is gone");
    }

    #[test]
    fn unchanged_is_what_was_looked_at_and_left_as_it_was() {
        let report = |scanned: u64| {
            let mut report = serde_json::to_value(RunReport::default()).unwrap();
            for (key, count) in [("scanned", scanned), ("skipped", 3), ("failed", 1)] {
                report[key] = count.into();
            }
            serde_json::from_value::<RunReport>(report).unwrap()
        };
        let effects = RunEffects {
            created: 4,
            updated: 2,
            ..RunEffects::default()
        };
        assert_eq!(unchanged(&effects, Some(&report(45_000))), 44_990);
        assert_eq!(unchanged(&effects, Some(&report(10))), 0);
        assert_eq!(
            unchanged(&effects, Some(&report(0))),
            0,
            "one that does not count"
        );
        let sent_again = RunEffects {
            unchanged: 7,
            ..effects
        };
        assert_eq!(unchanged(&sent_again, None), 7);
    }
}
