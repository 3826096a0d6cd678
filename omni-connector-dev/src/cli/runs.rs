//! `cargo omni runs`: the runs of a source, and what one of them did.

use std::{fmt, time::Duration};

use clap::Args;
use console::style;
use indicatif::{DecimalBytes, HumanCount};
use omni_connector::RunReport;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::sleep;

use super::{
    Code, Failure, Interrupts, Output,
    output::{printable, printable_lines},
    page::{Page, Place, Use, part, with_page},
};
use crate::{
    rules::Progress,
    store::{run_documents::Difference, runs::RefusedEvent},
};

/// The time between two polls of a run.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Items that are named of each list.
const NAMED: usize = 20;

/// List the runs of a source, or show what one of them did
#[derive(Debug, Args)]
#[command(after_help = "\
  cargo omni runs
  cargo omni runs 01KB4N…    the run's failures, skips and refusals
  cargo omni runs 01KB4N… --compare 01KB3Z…
  cargo omni runs 01KB4N… --try-again broken.pdf")]
pub(super) struct Arguments {
    /// Id of a run
    run: Option<String>,
    /// Compare the documents and the requests of the run with another one's
    #[arg(
        long,
        value_name = "RUN",
        requires = "run",
        conflicts_with = "try_again"
    )]
    compare: Option<String>,
    /// Repeat the run for this failed item only; needs a connector that `cargo omni dev` runs
    #[arg(long, value_name = "ITEM", requires = "run")]
    try_again: Option<String>,
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
    let Arguments {
        run,
        compare,
        try_again,
        place,
    } = arguments;
    with_page(&place, Use::Read, interrupts, async |page| {
        if let (Some(run), Some(other)) = (&run, &compare) {
            let parameters = [("run", Some(run.as_str())), ("with", Some(other.as_str()))];
            let compared = page.pane("sync/compare", &parameters).await?;
            let shown: Compared = part(&compared)?;
            output.result(&compared, shown);
            return Ok(Code::Done);
        }
        if let (Some(run), Some(item)) = (&run, &try_again) {
            return tried(page, run, item, *output).await;
        }
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

/// Tries an item again, and waits for the end of that run.
async fn tried(page: &Page<'_>, run: &str, item: &str, output: Output) -> Result<Code, Failure> {
    let begun = page
        .submit("sync/try", &[("run", run), ("item", item)])
        .await?;
    let id = begun["run"].as_str().unwrap_or_default();
    loop {
        let run = [("run", Some(id))];
        let sync = page.pane("sync", &run).await?;
        if sync["run"]["progress"]["run"]["status"] != "running" {
            page.keep(id).await?;
            let sync = page.pane("sync", &run).await?;
            let shown = &sync["run"];
            let trial = &shown["trial"];
            output.result(trial, Tried(trial));
            let is_sent = trial["now"]["outcome"] == "sent";
            return Ok(if is_sent { Code::Done } else { Code::Failed });
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// An item before and now.
struct Tried<'a>(&'a Value);

impl fmt::Display for Tried<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for side in ["before", "now"] {
            let outcome = &self.0[side];
            let text = |name: &str| outcome[name].as_str().unwrap_or_default().to_owned();
            let detail = [text("stage"), text("cause"), text("reason")].join(" ");
            let detail = printable(detail.trim());
            writeln!(f, "{side:<7} {}  {detail}", style(text("outcome")).bold())?;
        }
        Ok(())
    }
}

/// Two runs as the page compares them.
#[derive(Deserialize)]
struct Compared {
    documents: Option<Documents>,
    operations: Vec<Numbers>,
    requests: Vec<Numbers>,
}

#[derive(Deserialize)]
struct Documents {
    same: u64,
    different: u64,
    named: Vec<Difference>,
}

#[derive(Deserialize)]
struct Numbers {
    #[serde(alias = "request")]
    name: String,
    here: u64,
    there: u64,
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.documents {
            None => writeln!(f, "the documents of one of the runs are not known")?,
            Some(Documents {
                same,
                different,
                named,
            }) => {
                writeln!(
                    f,
                    "{} documents are the same, {} differ",
                    HumanCount(*same),
                    HumanCount(*different)
                )?;
                for one in named.iter().take(NAMED) {
                    let part = |part: &Option<String>| {
                        part.clone().unwrap_or_else(|| "not sent".to_owned())
                    };
                    let (here, there) = (part(&one.here), part(&one.there));
                    writeln!(
                        f,
                        "    {}: {here}, {there} in the other",
                        printable(&one.document_id)
                    )?;
                }
            }
        }
        for one in self.operations.iter().chain(&self.requests) {
            writeln!(
                f,
                "{}: {} requests, {} in the other",
                printable(&one.name),
                one.here,
                one.there
            )?;
        }
        Ok(())
    }
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
