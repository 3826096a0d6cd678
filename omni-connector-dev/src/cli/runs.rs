//! `cargo omni runs`: the runs of a source, and what one of them did.

use std::fmt;

use clap::Args;
use console::style;
use indicatif::{DecimalBytes, HumanCount};
use omni_connector::RunReport;
use serde::Deserialize;

use super::{
    Code, Failure, Interrupts, Output,
    output::{printable, printable_lines},
    page::{Place, Use, part, with_page},
};
use crate::{rules::Progress, store::runs::RefusedEvent};

/// Items that are named of each list.
const NAMED: usize = 20;

/// List the runs of a source, or show what one of them did
#[derive(Debug, Args)]
#[command(after_help = "\
  cargo omni runs
  cargo omni runs 01KB4N…    the run's failures, skips and refusals")]
pub(super) struct Arguments {
    /// Id of a run
    run: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// One run as the page shows it.
#[derive(Deserialize)]
struct Shown {
    progress: Progress,
    report: Option<RunReport>,
    refused: Vec<RefusedEvent>,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let Arguments { run, place } = arguments;
    with_page(&place, Use::Read, interrupts, async |page| {
        let sync = page.pane("sync", &[("run", run.as_deref())]).await?;
        match &run {
            None => {
                let runs: Vec<Progress> = part(&sync["runs"])?;
                output.result(&sync["runs"], List(&runs));
            }
            Some(run) => {
                let shown: Shown = found(&sync["run"], run)?;
                output.result(&sync["run"], shown);
            }
        }
        Ok(Code::Done)
    })
    .await
}

/// A run that was named.
pub(super) fn found<T: serde::de::DeserializeOwned>(
    shown: &serde_json::Value,
    run: &str,
) -> Result<T, Failure> {
    if shown.is_null() {
        let failure = Failure::failed(format!("the source has no run `{run}`"));
        return Err(failure.help("`cargo omni runs` lists them"));
    }
    part(shown)
}

struct List<'a>(&'a [Progress]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for progress in self.0 {
            write_line(f, progress)?;
        }
        if self.0.is_empty() {
            writeln!(f, "no runs; `cargo omni sync` makes one")?;
        }
        Ok(())
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, Progress { run, effects }: &Progress) -> fmt::Result {
    let status = serde_json::json!(run.status);
    writeln!(
        f,
        "{}  {} {}  {} new, {} changed, {} same, {} gone",
        style(&run.id).dim(),
        run.sync_type,
        style(status.as_str().unwrap_or_default()).bold(),
        HumanCount(effects.created),
        HumanCount(effects.updated),
        HumanCount(effects.unchanged),
        HumanCount(effects.deleted),
    )
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            progress,
            report,
            refused,
        } = self;
        write_line(f, progress)?;
        writeln!(
            f,
            "  text  {}",
            DecimalBytes(progress.effects.content_bytes)
        )?;
        if let Some(error) = &progress.run.error_message {
            writeln!(f, "  error\n    {}", printable_lines(error))?;
        }
        match report {
            None => writeln!(
                f,
                "  the connector gave no report, so skips and failures are unknown"
            )?,
            Some(report) => {
                writeln!(f, "  failed  {}", HumanCount(report.failed))?;
                for failure in report.failures.iter().take(NAMED) {
                    let (item, cause) = (printable(&failure.item), printable(&failure.cause));
                    writeln!(f, "    {item}: {cause}")?;
                }
                writeln!(f, "  skipped  {}", HumanCount(report.skipped))?;
                for (reason, count) in &report.reasons {
                    writeln!(f, "    {}  {}", HumanCount(*count), printable(reason))?;
                }
            }
        }
        if progress.effects.refused > 0 {
            writeln!(f, "  not taken  {}", HumanCount(progress.effects.refused))?;
        }
        for one in refused.iter().take(NAMED) {
            writeln!(
                f,
                "    {}: {}",
                printable(&one.subject),
                printable(&one.reason)
            )?;
        }
        Ok(())
    }
}
