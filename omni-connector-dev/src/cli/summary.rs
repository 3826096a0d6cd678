//! The summary of a run, for people and for programs.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use console::style;
use indicatif::{DecimalBytes, HumanCount, HumanFloatCount};
use omni_connector::{Failure, Manifest, RunReport, Skip, SyncType};
use serde::Serialize;

use super::{
    Code,
    files::FileNotes,
    output::{printable, printable_lines},
    settings,
};
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
    /// Users in permissions and groups that are not e-mail addresses.
    odd_users: Option<Vec<String>>,
    /// Documents that the run sent more than once, and how often.
    repeated: Option<BTreeMap<String, u64>>,
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
            Status::Completed if strict && !self.lacks().is_empty() => Code::Incomplete,
            Status::Completed => Code::Done,
            Status::Failed | Status::Cancelled => Code::Failed,
            Status::Interrupted => Code::Interrupted,
        }
    }

    /// Formats documents per second; if the run sent none, examined items per second.
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    fn pace(&self) -> String {
        if self.documents_per_second > 0.0 {
            format!(
                "{} documents a second",
                HumanFloatCount(self.documents_per_second.round())
            )
        } else {
            let rate = self.scanned as f64 / self.seconds;
            format!("{} looked at a second", HumanFloatCount(rate.round()))
        }
    }

    fn has_changed_nothing(&self) -> bool {
        self.created + self.updated + self.deleted + self.refused == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = style(format!("{} run {}", self.mode, self.status.word())).bold();
        let title = match self.status {
            Status::Completed if !self.lacks().is_empty() => title.yellow(),
            Status::Completed => title.green(),
            Status::Failed => title.red(),
            Status::Cancelled | Status::Interrupted => title.yellow(),
        };
        writeln!(f, "{title} in {:.1} s, {}", self.seconds, self.pace())?;
        if let Some(error) = &self.error {
            writeln!(f, "{}", printable_lines(error))?;
            if let Some(help) = settings::missing(error) {
                writeln!(f, "{}: {help}", style("help").cyan().bold())?;
            }
        }
        writeln!(f)?;
        self.write_counts(f)?;
        self.write_skips(f)?;
        self.write_failures(f)?;
        self.write_refusals(f)?;
        self.write_textless(f)?;
        write!(f, "{}", self.files)?;
        self.write_ending(f)?;
        self.write_verdict(f)
    }
}

impl Summary {
    fn write_counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, count: u64| {
            let number = format!("{:>11}", HumanCount(count).to_string());
            let number = if count == 0 {
                style(number).dim()
            } else {
                style(number)
            };
            writeln!(f, "  {name:<10}{number}")
        };
        row("scanned", self.scanned)?;
        row("created", self.created)?;
        row("updated", self.updated)?;
        row("unchanged", self.unchanged)?;
        row("deleted", self.deleted)?;
        if let Some(skipped) = self.skipped {
            row("skipped", skipped)?;
        }
        if let Some(failed) = self.failed.filter(|count| *count > 0) {
            row("failed", failed)?;
        }
        if self.refused > 0 {
            row("refused", self.refused)?;
        }
        writeln!(
            f,
            "  {:<10}{:>11}",
            "content",
            DecimalBytes(self.bytes).to_string()
        )?;
        if self.status == Status::Completed
            && self.has_changed_nothing()
            && self.contents_stored == 0
        {
            writeln!(f, "\nnothing changed: no content stored")
        } else {
            writeln!(
                f,
                "  {:<10}{:>11} new",
                "stored",
                HumanCount(self.contents_stored).to_string()
            )
        }
    }

    fn write_skips(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(reasons), Some(skips)) = (&self.skip_reasons, &self.skips) else {
            return Ok(());
        };
        if reasons.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nskipped:")?;
        let mut reasons: Vec<_> = reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (reason, count) in reasons {
            writeln!(
                f,
                "  {:>7}  {}",
                HumanCount(*count).to_string(),
                printable(reason)
            )?;
            for skip in skips
                .iter()
                .filter(|skip| skip.reason == *reason)
                .take(NAMED_ITEMS)
            {
                let line = match skip.detail.as_deref() {
                    None | Some("") => skip.item.clone(),
                    Some(detail) => format!("{}: {detail}", skip.item),
                };
                writeln!(f, "           {}", style(printable(&line)).dim())?;
            }
        }
        Ok(())
    }

    fn write_failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = self.failures.as_deref().unwrap_or_default();
        if failures.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nfailed:")?;
        for Failure { item, cause, .. } in failures.iter().take(NAMED_ITEMS) {
            writeln!(f, "  {}: {}", printable(item), printable(cause))?;
        }
        Ok(())
    }

    fn write_refusals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.refusals.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nsent, but of no use to Omni:")?;
        for RefusedEvent { subject, reason } in self.refusals.iter().take(NAMED_ITEMS) {
            writeln!(f, "  {}: {}", printable(subject), printable(reason))?;
        }
        Ok(())
    }

    fn write_ending(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(held_back) = self.deletes_held_back.filter(|count| *count > 0) {
            let label = style("warning").yellow().bold();
            writeln!(
                f,
                "\n{label}: documents that seem to be gone were kept, since so many at once look like an accident: {}\n\
                 help: if they are really gone, set the variable `OMNI_DELETE_SHARE_LIMIT=1` for one run with `--full`",
                HumanCount(held_back)
            )?;
        }
        let repeated: Option<Vec<_>> = self.repeated.as_ref().map(|ids| {
            let named = ids
                .iter()
                .map(|(id, times)| format!("{id} ({times} times)"));
            named.collect()
        });
        for (items, warning) in [
            (
                &self.unsent_groups,
                "documents name groups that no run ever sent, so nobody reads them by these",
            ),
            (
                &self.odd_users,
                "documents or groups name users that are not e-mail addresses, so nobody reads them by these",
            ),
            (
                &repeated,
                "documents were sent more than once, and the last one counts; different items need different ids",
            ),
        ] {
            let items = items.as_deref().unwrap_or_default();
            if !items.is_empty() {
                let label = style("warning").yellow().bold();
                let first = items[..items.len().min(NAMED_ITEMS)].join(", ");
                writeln!(f, "\n{label}: {warning}: {}", printable(&first))?;
            }
        }
        match self.status {
            Status::Completed => writeln!(
                f,
                "\nsearch it: cargo omni search{} \"some words\"",
                self.store_flag()
            ),
            Status::Interrupted => writeln!(
                f,
                "\nwhat was accepted is kept; the same command goes on from there"
            ),
            Status::Failed | Status::Cancelled => Ok(()),
        }
    }

    fn write_textless(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.textless == 0 {
            return Ok(());
        }
        writeln!(
            f,
            "\nsent without a text, so that no word of them is found:"
        )?;
        for TextlessFile { name, reason } in self.textless_files.iter().take(NAMED_ITEMS) {
            writeln!(f, "  {}: {reason}", printable(name))?;
        }
        if self.textless > NAMED_ITEMS as u64 {
            writeln!(
                f,
                "  and {} more",
                HumanCount(self.textless - NAMED_ITEMS as u64)
            )?;
        }
        Ok(())
    }

    /// Returns the number of items that should be found but will not be: failed ones, and those that Omni refuses.
    fn missing(&self) -> u64 {
        self.failed.unwrap_or_default() + self.refused
    }

    /// Returns what a completed run lacks. Items that were skipped on purpose are no lack.
    fn lacks(&self) -> Vec<String> {
        let held_back = self.deletes_held_back.unwrap_or_default();
        [
            (self.missing(), "item", "did not arrive"),
            (self.textless, "file", "without text"),
            (held_back, "delete", "held back"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, noun, what)| format!("{} {what}", counted(count, noun)))
        .collect()
    }

    /// Writes the last line: whether the run sent everything.
    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(warnings @ 1..), Some(log)) = (self.warnings, &self.log) {
            writeln!(
                f,
                "{} of the connector in `{}`; `--verbose` shows them at once",
                counted(warnings, "warning"),
                log.display()
            )?;
        }
        let lacks = self.lacks();
        if self.status == Status::Completed && !lacks.is_empty() {
            let label = style("completed with failures").yellow().bold();
            writeln!(f, "{label}: {}", lacks.join(", "))?;
        }
        Ok(())
    }

    fn store_flag(&self) -> String {
        if self.store == Path::new(".omni") {
            String::new()
        } else {
            format!(" --store {}", self.store.display())
        }
    }
}

/// Formats a number with its noun.
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count))
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
