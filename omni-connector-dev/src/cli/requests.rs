//! `cargo omni requests`: what a run asked of its source, what that cost, and where it waited.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;
use console::style;
use indicatif::{DecimalBytes, HumanCount};
use omni_connector::{SourceRequest, SourceWalk};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Code, Failure, Interrupts, Output,
    checkpoint::Change,
    output::printable,
    page::{Page, Place, Use, part, with_page},
};

/// Show what a run asked of its source, repeat a request, keep answers on a tape, or have the next requests fail
#[derive(Debug, Args)]
#[command(after_help = "\
A connector that uses omni_connector::http reports its requests when `cargo omni` started it.

  cargo omni requests --only failed
  cargo omni requests --call 12           one request with its answer
  cargo omni requests --repeat 12
  cargo omni requests --tape tests/tapes/kept.tape
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
    /// Show the request of this number with its answer
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["operation", "only", "repeat"])]
    call: Option<u64>,
    /// Make the request of this number once more, and compare its answer; needs a connector that `cargo omni dev` runs
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["operation", "only"])]
    repeat: Option<u64>,
    /// Write these requests with their answers into a tape
    #[arg(long, value_name = "FILE", conflicts_with_all = ["only", "repeat"])]
    tape: Option<PathBuf>,
    /// Have the next requests of this operation fail; needs a connector that `cargo omni dev` runs
    #[arg(long, value_name = "OPERATION", requires = "with", conflicts_with_all = ["run", "operation", "only", "call", "repeat", "tape"])]
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
        let number = arguments
            .call
            .or(arguments.repeat)
            .map(|number| number.to_string());
        let run = arguments.run.as_deref();
        if let Some(path) = &arguments.tape {
            let parameters = [
                ("run", run),
                ("op", arguments.operation.as_deref()),
                ("call", number.as_deref()),
            ];
            return keep(page, path, &parameters, *output).await;
        }
        if let Some(number) = &number {
            return one(page, run, number, arguments.repeat.is_some(), *output).await;
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

/// Writes a tape of kept answers. An existing file is not overwritten.
async fn keep(
    page: &Page<'_>,
    path: &Path,
    parameters: &[(&str, Option<&str>)],
    output: Output,
) -> Result<Code, Failure> {
    let text = page.file("requests/tape", parameters).await?;
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Failure::failed(format!(
            "the tape `{}` is not written: {error}",
            path.display()
        ))
    })?;
    let exchanges = text.lines().count().saturating_sub(1);
    output.result(
        &json!({ "tape": path, "exchanges": exchanges }),
        format!("kept {exchanges} exchanges in `{}`\n", path.display()),
    );
    Ok(Code::Done)
}

/// Shows one request with its answer, after it was made once more if that was asked for.
async fn one(
    page: &Page<'_>,
    run: Option<&str>,
    number: &str,
    is_repeated: bool,
    output: Output,
) -> Result<Code, Failure> {
    let parameters = [("run", run), ("call", Some(number))];
    if is_repeated {
        let path = match run {
            Some(run) => format!("requests/repeat?run={run}&call={number}"),
            None => format!("requests/repeat?call={number}"),
        };
        page.send(&path, &[]).await?;
    }
    let shown = page.pane("requests", &parameters).await?;
    let call = &shown["call"];
    if call.is_null() {
        let failure = Failure::failed(format!("the run has no request {number}"));
        return Err(failure.help("`cargo omni requests --json` lists them with their numbers"));
    }
    output.result(call, Open { call, is_repeated });
    let is_good = !is_repeated || call["repeated"]["outcome"] == "ok";
    Ok(if is_good { Code::Done } else { Code::Failed })
}

/// A request with its answer.
struct Open<'a> {
    call: &'a Value,
    is_repeated: bool,
}

impl fmt::Display for Open<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.call;
        let text = |value: &Value| printable(value.as_str().unwrap_or_default());
        writeln!(f, "{} {}", text(&call["method"]), text(&call["url"]))?;
        let asked = &call["exchange"]["asked"]["body"];
        if asked.is_object() {
            writeln!(f, "{asked:#}")?;
        }
        match &call["exchange"]["answered"] {
            Value::Null => writeln!(f, "its answer is not kept")?,
            answered => writeln!(f, "{}\n{:#}", answered["status"], answered["body"])?,
        }
        if !self.is_repeated {
            return Ok(());
        }
        let repeated = &call["repeated"];
        writeln!(
            f,
            "made once more: {} in {} ms {}",
            text(&repeated["outcome"]),
            repeated["took_ms"],
            text(&repeated["error"])
        )?;
        match Vec::<Change>::deserialize(&call["changes"]) {
            Ok(changes) if changes.is_empty() => writeln!(f, "the answer is the same"),
            Ok(changes) => changes.iter().try_for_each(|change| change.fmt(f)),
            Err(_) => Ok(()),
        }
    }
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
