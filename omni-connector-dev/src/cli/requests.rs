//! `cargo omni requests`: what a run asked of its source, what that cost, and where it waited.

use std::{collections::BTreeMap, fmt};

use clap::Args;
use console::style;
use indicatif::{DecimalBytes, HumanCount};
use omni_connector::{SourceRequest, SourceWalk};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Code, Failure, Interrupts, Output,
    output::printable,
    page::{Place, Use, part, with_page},
};

/// Show what a run asked of its source, or have the next requests fail
#[derive(Debug, Args)]
#[command(after_help = "\
A connector that uses omni_connector::http reports its requests when `cargo omni` started it.

  cargo omni requests --only failed
  cargo omni requests --fail 'GET issues' --with too-many-requests")]
pub(super) struct Arguments {
    /// Id of a run [default: the latest one that made calls]
    run: Option<String>,
    /// Only requests of this operation
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    /// Only requests that failed, or that waited
    #[arg(long, value_name = "WHICH", value_parser = ["failed", "waited"])]
    only: Option<String>,
    /// The most requests to print
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Have the next requests of this operation fail; needs a connector that `cargo omni dev` runs
    #[arg(long, value_name = "OPERATION", requires = "with", conflicts_with_all = ["run", "operation", "only"])]
    fail: Option<String>,
    /// How they fail
    #[arg(long, value_name = "FAULT", requires = "fail",
        value_parser = ["too-many-requests", "server-error", "broken-off", "empty-page"])]
    with: Option<String>,
    /// How many attempts fail
    #[arg(long, default_value_t = 1, requires = "fail")]
    times: u32,
    #[command(flatten)]
    place: Place,
}

/// What the pane shows.
#[derive(Deserialize)]
struct Shown {
    /// None before the first run.
    run: Option<Value>,
    is_reported: bool,
    costs: BTreeMap<String, u64>,
    walks: Vec<SourceWalk>,
    requests: Vec<SourceRequest>,
    found: usize,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let place = &arguments.place;
    with_page(place, Use::Read, interrupts, async |page| {
        if let (Some(operation), Some(fault)) = (&arguments.fail, &arguments.with) {
            let (fault, times) = (fault.replace('-', "_"), arguments.times.to_string());
            let fields = [
                ("operation", operation.as_str()),
                ("fault", &fault),
                ("times", &times),
            ];
            let done = page.send("requests/fail", &fields).await?;
            output.result(&json!({ "done": done }), format!("{done}\n"));
            return Ok(Code::Done);
        }
        let limit = arguments.limit.to_string();
        let parameters = [
            ("run", arguments.run.as_deref()),
            ("op", arguments.operation.as_deref()),
            ("only", arguments.only.as_deref()),
            ("n", Some(limit.as_str())),
        ];
        let pane = page.pane("requests", &parameters).await?;
        if let (Some(run), Value::Null) = (&arguments.run, &pane["run"]) {
            let failure = Failure::failed(format!("the source has no run `{run}`"));
            return Err(failure.help("`cargo omni runs` lists them"));
        }
        let shown: Shown = part(&pane)?;
        output.result(&pane, shown);
        Ok(Code::Done)
    })
    .await
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(run) = &self.run else {
            return writeln!(f, "the source has no run yet");
        };
        let id = run["run"]["id"].as_str().unwrap_or_default();
        let mode = run["run"]["sync_type"].as_str().unwrap_or_default();
        let run = format!("the {mode} run {id}");
        if !self.is_reported {
            return writeln!(f, "the connector reported no requests of {run}");
        }
        let cost = |name: &str| self.costs.get(name).copied().unwrap_or_default();
        if cost("calls") == 0 {
            return writeln!(f, "{run} made no calls to its source");
        }
        writeln!(f, "{run}:")?;
        for request in &self.requests {
            write_request(f, request)?;
        }
        let shown = self.requests.len();
        if self.found > shown {
            writeln!(f, "the last {shown} of {}", HumanCount(self.found as u64))?;
        }
        for walk in &self.walks {
            let end = match &walk.incomplete {
                Some(why) => format!("incomplete: {}", printable(why)),
                None if walk.is_complete => "complete".to_owned(),
                None => "not finished".to_owned(),
            };
            let operation = printable(&walk.operation);
            let items: u64 = walk.items.iter().map(|&items| u64::from(items)).sum();
            writeln!(
                f,
                "walk {operation}: {} pages, {} items, {end}",
                walk.pages,
                HumanCount(items)
            )?;
        }
        writeln!(
            f,
            "{} calls, {} attempts, {} failed, {}, {} ms waited",
            HumanCount(cost("calls")),
            HumanCount(cost("attempts")),
            HumanCount(cost("failed")),
            DecimalBytes(cost("bytes")),
            HumanCount(cost("waited_ms")),
        )
    }
}

fn write_request(f: &mut fmt::Formatter<'_>, request: &SourceRequest) -> fmt::Result {
    let status = request.steps.iter().rev().find_map(|step| step.status);
    let status = status.map_or_else(|| request.outcome.clone(), |status| status.to_string());
    let status = if request.outcome == "ok" {
        style(status).green()
    } else {
        style(status).red().bold()
    };
    let page = request.page.map(|page| format!(" page {page}"));
    writeln!(
        f,
        "{:>7} ms  {status}  {}{}  {} ms",
        request.at_ms,
        printable(&request.operation),
        page.unwrap_or_default(),
        request.took_ms
    )?;
    for step in &request.steps {
        match (&step.wait, &step.error) {
            (Some(wait), _) => writeln!(f, "            waited {} ms for {wait}", step.took_ms)?,
            (None, Some(error)) => writeln!(f, "            {}", printable(error))?,
            (None, None) => {}
        }
    }
    Ok(())
}
