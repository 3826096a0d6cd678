//! Writes the summary for people.

use std::{fmt, path::Path};

use console::style;
use indicatif::{DecimalBytes, HumanCount, HumanFloatCount};
use omni_connector::Failure;

use super::{NAMED_ITEMS, Status, Summary, warnings_in};
use crate::{
    cli::{
        output::{printable, printable_lines},
        settings,
    },
    store::{runs::RefusedEvent, textless::TextlessFile},
};

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = style(format!("{} run {}", self.mode, self.status.word())).bold();
        let title = match self.status {
            Status::Completed if !self.lacks.is_empty() => title.yellow(),
            Status::Completed => title.green(),
            Status::Failed => title.red(),
            Status::Cancelled | Status::Interrupted => title.yellow(),
        };
        writeln!(f, "{title} in {:.1} s, {}", self.seconds, self.pace())?;
        if let Some(error) = &self.error {
            writeln!(f, "{}", printable_lines(error))?;
            if let Some(help) = settings::help_for(error) {
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
                "documents, groups or records of people name users that are not e-mail addresses, so nobody reads them by these",
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
            writeln!(f, "  {}: {}", printable(name), printable(reason))?;
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

    /// Writes the last line: whether the run sent everything.
    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(warnings @ 1..), Some(log)) = (self.warnings, &self.log) {
            writeln!(f, "{}", warnings_in(warnings, log))?;
        }
        if self.status == Status::Completed && !self.lacks.is_empty() {
            let label = style("completed with failures").yellow().bold();
            writeln!(f, "{label}: {}", self.lacks.join(", "))?;
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
