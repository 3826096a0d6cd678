//! The pane of the requests: what a run asked of its source, what that cost, and where it waited.

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use omni_connector::{OperationCost, RunRequests, SourceWalk};
use serde::Serialize;

use super::{
    Page,
    answer::{Ask, answer},
    exchange::{self, OpenCall},
    faults,
    frame::{Frame, Pane},
    show::{bytes, count, counted, cut, foreign},
    waterfall::{self, Call},
};
use crate::{
    rules::{self, Progress, Refusal},
    store::{StoreError, requests, runs},
};

/// Calls on one page.
const PAGE: usize = 100;
/// The most calls that one page can hold.
const MOST: usize = 2000;
/// Walks that are shown.
const WALKS: usize = 50;

/// What the pane shows.
#[derive(Serialize)]
pub(super) struct Data {
    run: Option<Progress>,
    /// Whether the connector reported what it asked.
    is_reported: bool,
    costs: Costs,
    operations: Vec<Operation>,
    walks: Vec<SourceWalk>,
    /// Calls that fit the filter, the latest last.
    requests: Vec<Call>,
    /// The call that is open.
    call: Option<OpenCall>,
    /// How many fit the filter, of those that are kept.
    found: usize,
    filter: Filter,
    limit: usize,
}

/// What all calls of a run cost.
#[derive(Default, Serialize)]
struct Costs {
    calls: u64,
    attempts: u64,
    failed: u64,
    bytes: u64,
    waited_ms: u64,
    took_ms: u64,
    documents: u64,
}

#[derive(Serialize)]
struct Operation {
    name: String,
    #[serde(flatten)]
    cost: OperationCost,
    /// The middle one of the durations that are kept.
    median_ms: u64,
}

#[derive(Default, Serialize)]
struct Filter {
    operation: Option<String>,
    /// `failed` or `waited`.
    only: Option<String>,
}

impl Filter {
    fn admits(&self, call: &Call) -> bool {
        let operation = self.operation.as_ref();
        operation.is_none_or(|name| *name == call.request.operation)
            && match self.only.as_deref() {
                Some("failed") => call.has_failed(),
                Some("waited") => call.waited_ms() > 0,
                _ => true,
            }
    }
}

pub(super) async fn pane(State(page): State<Page>, ask: Ask) -> Result<Response, Refusal> {
    let frame = Frame::read(&page, &ask).await?;
    let data = read(&page, &frame, &ask).await?;
    Ok(answer(&ask, &frame, Pane::Requests, &data, render))
}

async fn read(page: &Page, frame: &Frame, ask: &Ask) -> Result<Data, StoreError> {
    let shared = &page.shared;
    let run = shown_run(page, frame, ask).await?;
    let logs = match &run {
        Some(progress) => {
            let id = progress.run.id.clone();
            let logs = shared.store.read(move |db| requests::of_run(db, &id));
            logs.await?
        }
        None => Vec::new(),
    };
    let filter = Filter {
        operation: ask.owned("op"),
        only: ask.owned("only"),
    };
    let limit = ask.get("n").and_then(|n| n.parse().ok());
    let limit = limit.unwrap_or(PAGE).clamp(1, MOST);
    let call = match (&run, ask.get("call")) {
        (Some(run), Some(call)) => OpenCall::read(page, &run.run.id, call).await?,
        _ => None,
    };
    let mut data = Data::new(run, logs, filter, limit);
    data.call = call;
    Ok(data)
}

/// Returns the run that was asked for, else the latest one of the source that made calls.
pub(super) async fn shown_run(
    page: &Page,
    frame: &Frame,
    ask: &Ask,
) -> Result<Option<Progress>, StoreError> {
    let shared = &page.shared;
    let source = frame.source.as_ref().map(|one| one.source.id.clone());
    let wanted = match (ask.owned("run"), source.clone()) {
        (Some(run), _) => Some(run),
        (None, Some(source)) => {
            let latest = shared.store.read(move |db| {
                let with_calls = requests::latest_run(db, &source)?;
                let latest = runs::latest(db, Some(&source), 1)?;
                Ok::<_, StoreError>(with_calls.or_else(|| Some(latest.first()?.id.clone())))
            });
            latest.await?
        }
        (None, None) => None,
    };
    let run = match &wanted {
        Some(id) => rules::progress(shared, id).await?,
        None => None,
    };
    // A run of another source has no place here.
    Ok(run.filter(|progress| Some(&progress.run.source_id) == source.as_ref()))
}

impl Data {
    fn new(run: Option<Progress>, logs: Vec<RunRequests>, filter: Filter, limit: usize) -> Self {
        let is_reported = !logs.is_empty();
        let operations = operations(&logs);
        let sum = |number: fn(&OperationCost) -> u64| -> u64 {
            operations.iter().map(|one| number(&one.cost)).sum()
        };
        let costs = Costs {
            calls: sum(|cost| cost.calls),
            attempts: sum(|cost| cost.attempts),
            failed: sum(|cost| cost.failed),
            bytes: sum(|cost| cost.bytes),
            waited_ms: sum(|cost| cost.waited_ms),
            took_ms: sum(|cost| cost.took_ms),
            documents: run.as_ref().map_or(0, |run| run.effects.documents()),
        };
        let walks = logs
            .iter()
            .flat_map(|log| log.walks.iter().rev())
            .take(WALKS);
        let walks = walks.cloned().collect();
        let calls = logs.into_iter().flat_map(|log| {
            let began_ms = log.began_ms;
            let call = move |request| Call { began_ms, request };
            log.requests.into_iter().map(call)
        });
        let mut requests: Vec<_> = calls.filter(|call| filter.admits(call)).collect();
        let found = requests.len();
        requests.drain(..found.saturating_sub(limit));
        Self {
            run,
            is_reported,
            costs,
            operations,
            walks,
            requests,
            call: None,
            found,
            filter,
            limit,
        }
    }
}

/// The operations of all processes that worked on a run, those that took longest first.
fn operations(logs: &[RunRequests]) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    for (name, cost) in logs.iter().flat_map(|log| &log.operations) {
        match operations.iter_mut().find(|one| one.name == *name) {
            Some(one) => one.add(cost),
            None => operations.push(Operation {
                name: name.clone(),
                cost: cost.clone(),
                median_ms: 0,
            }),
        }
    }
    for one in &mut operations {
        let requests = logs.iter().flat_map(|log| &log.requests);
        let same = requests.filter(|request| request.operation == one.name);
        let mut times: Vec<_> = same.map(|request| request.took_ms).collect();
        times.sort_unstable();
        one.median_ms = times.get(times.len() / 2).copied().unwrap_or_default();
    }
    operations.sort_by_key(|one| std::cmp::Reverse(one.cost.took_ms));
    operations
}

impl Operation {
    fn add(&mut self, other: &OperationCost) {
        let cost = &mut self.cost;
        cost.calls += other.calls;
        cost.attempts += other.attempts;
        cost.failed += other.failed;
        cost.bytes += other.bytes;
        cost.took_ms += other.took_ms;
        cost.waited_ms += other.waited_ms;
    }
}

fn render(frame: &Frame, data: &Data) -> Markup {
    let run = data.run.as_ref().map_or("", |run| run.run.id.as_str());
    html! {
        div.title {
            h1 { "Requests" @if let Some(run) = &data.run { span.quiet { " of the " (run.run.sync_type.to_string()) " run" } } }
        }
        div.stack id="requests" data-live="" {
            @if data.run.is_none() { section.card { p.quiet { "No run yet. A run shows here what it asked of its source." } } }
            @else if !data.is_reported { (unreported()) }
            @else if data.costs.calls == 0 { section.card { p.quiet { "This run has asked its source nothing with the client of " code { "omni_connector::http" } "." } } }
            @else {
                @if let Some(call) = &data.call { (exchange::render(frame, run, call)) }
                (costs(&data.costs))
                (by_operation(frame, data))
                @if !data.walks.is_empty() { (walks(&data.walks)) }
                (calls(frame, data))
            }
        }
    }
}

fn unreported() -> Markup {
    html! {
        section.card {
            h2 { "Nothing was reported" }
            p { "The connector said nothing of its requests in this run. It does when it was started by " code { "cargo omni" } " and calls its source with the client of " code { "omni_connector::http" } "." }
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn costs(costs: &Costs) -> Markup {
    let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    html! {
        section.card {
            h2 { "What it cost" }
            dl.numbers {
                div { dt { "calls" } dd { (count(costs.calls)) } }
                div { dt { "attempts" } dd { (count(costs.attempts)) } }
                div.zero[costs.failed == 0] { dt { "failed" } dd { (count(costs.failed)) } }
                div { dt { "answers" } dd { (bytes(costs.bytes)) } }
                @if costs.documents > 0 {
                    div { dt { "calls a document" } dd { (format!("{:.2}", share(costs.calls, costs.documents))) } }
                    div { dt { "bytes a document" } dd { (bytes(costs.bytes / costs.documents)) } }
                }
                div.zero[costs.waited_ms == 0] { dt { "share of waiting" } dd { (format!("{:.0} %", share(costs.waited_ms, costs.took_ms) * 100.0)) } }
            }
        }
    }
}

fn by_operation(frame: &Frame, data: &Data) -> Markup {
    let run = data.run.as_ref().map_or("", |run| run.run.id.as_str());
    html! {
        section.card {
            h2 { "Operations " span.counter { (data.operations.len()) } }
            div.scroll tabindex="0" role="region" aria-label="Operations" {
                table {
                    thead { tr { th { "Operation" } th.number { "calls" } th.number { "attempts" } th.number { "failed" } th.number { "answers" } th.number { "median" } th.number { "waited" } th { "Fail like this" } } }
                    tbody {
                        @for Operation { name, cost, median_ms } in &data.operations {
                            tr {
                                td { a href=(frame.link(Pane::Requests.path(), &[("run", run), ("op", name)])) { code { (foreign(&cut(name, 80))) } } }
                                td.number { (count(cost.calls)) }
                                td.number { (count(cost.attempts)) }
                                td.number { (count(cost.failed)) }
                                td.number { (bytes(cost.bytes)) }
                                td.number { (count(*median_ms)) " ms" }
                                td.number { (count(cost.waited_ms)) " ms" }
                                td { (faults::form(frame, run, name)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn walks(walks: &[SourceWalk]) -> Markup {
    html! {
        section.card {
            h2 { "Walks " span.counter { (walks.len()) } }
            ul.walks {
                @for walk in walks {
                    li {
                        code { (foreign(&cut(&walk.operation, 80))) } " "
                        (counted(walk.pages, "page")) ", " (counted(walk.items.iter().map(|&items| u64::from(items)).sum::<u64>(), "item"))
                        @if let Some(total) = walk.total { " of " (count(total)) }
                        " " @match &walk.incomplete {
                            Some(why) => { span.chip.bad { "incomplete" } " " (foreign(why)) },
                            None if walk.is_complete => span.chip.good { "complete" },
                            None => span.chip { "not finished" },
                        }
                        @if walk.items.len() > 1 {
                            details { summary { "Items of each page" } p.quiet { @for items in walk.items.iter().take(PAGE) { (items) " " } } }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the link that opens a call with its answer.
fn link_to(frame: &Frame, data: &Data, call: &Call) -> String {
    let id = format!("{}-{}", call.began_ms, call.request.number);
    let limit = data.limit.to_string();
    let parameters = [
        (
            "run",
            data.run.as_ref().map_or("", |run| run.run.id.as_str()),
        ),
        ("op", data.filter.operation.as_deref().unwrap_or_default()),
        ("only", data.filter.only.as_deref().unwrap_or_default()),
        ("n", &limit),
        ("call", &id),
    ];
    frame.link(Pane::Requests.path(), &parameters)
}

fn calls(frame: &Frame, data: &Data) -> Markup {
    let run = data.run.as_ref().map_or("", |run| run.run.id.as_str());
    let operation = data.filter.operation.as_deref().unwrap_or_default();
    let only = data.filter.only.as_deref().unwrap_or_default();
    let link = |operation: &str, only: &str, limit: &str| {
        let parameters = [
            ("run", run),
            ("op", operation),
            ("only", only),
            ("n", limit),
        ];
        frame.link(Pane::Requests.path(), &parameters)
    };
    let more = (data.limit + PAGE).min(MOST).to_string();
    html! {
        section.card {
            h2 { "Calls " span.counter { (count(data.found as u64)) } }
            nav.tabs aria-label="Calls that are shown" {
                @for (value, name) in [("", "all"), ("failed", "failed"), ("waited", "with waits")] {
                    a href=(link(operation, value, "")) aria-current=[(only == value).then_some("true")] { (name) }
                }
                @if !operation.is_empty() { a href=(link("", only, "")) { code { (foreign(&cut(operation, 60))) } " ×" } }
            }
            @if data.requests.is_empty() { p.quiet { "None." } }
            @else {
                p { a href=(frame.link("/dev/requests/tape", &[("run", run), ("op", operation)])) download="kept.tape" { "Keep as a tape" } span.quiet { ": these calls with their answers, without secrets, for " code { "--replay" } " and for tests" } }
                (waterfall::render(&data.requests, |call| link_to(frame, data, call)))
            }
            @if data.found > data.requests.len() && data.limit < MOST { a.button href=(link(operation, only, &more)) { "Earlier ones" } }
        }
    }
}
