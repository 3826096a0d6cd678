//! Two runs side by side: the documents that differ, and the requests that differ.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use rusqlite::Connection;
use serde::Serialize;

use super::{
    Page,
    answer::{Ask, answer},
    frame::{Frame, Pane},
    run::light,
    show::{ago, count, cut, foreign},
    sync::brought,
};
use crate::{
    rules::{Progress, Refusal},
    store::{
        StoreError, requests,
        run_documents::{self, Difference},
        runs,
    },
};

/// Differences that are named.
const NAMED: usize = 200;

/// The data of the comparison.
#[derive(Serialize)]
pub(super) struct Compared {
    here: Progress,
    there: Progress,
    /// None if the documents of one of the runs are not known any more.
    documents: Option<Documents>,
    operations: Vec<Operation>,
    /// Requests that only one of the runs made, or made more often.
    requests: Vec<Request>,
}

#[derive(Serialize)]
struct Documents {
    same: u64,
    different: u64,
    named: Vec<Difference>,
}

/// How often an operation was called.
#[derive(Serialize)]
struct Operation {
    name: String,
    here: u64,
    there: u64,
}

/// How often one request was made.
#[derive(Serialize)]
struct Request {
    request: String,
    here: u64,
    there: u64,
}

pub(super) async fn pane(State(page): State<Page>, ask: Ask) -> Result<Response, Refusal> {
    let frame = Frame::read(&page, &ask).await?;
    let [here, there] = ["run", "with"].map(|name| ask.owned(name).unwrap_or_default());
    let source = frame.source.as_ref().map(|one| one.source.id.clone());
    let read = move |db: &Connection| read(db, source.as_deref(), &here, &there);
    let data = page.shared.store.read(read).await?;
    Ok(answer(&ask, &frame, Pane::Sync, &data, render))
}

fn read(
    db: &Connection,
    source: Option<&str>,
    here: &str,
    there: &str,
) -> Result<Compared, Refusal> {
    let found = |id: &str| {
        let run = runs::find(db, id)?.filter(|run| Some(run.source_id.as_str()) == source);
        let run = run.ok_or_else(|| Refusal::NotFound(format!("the source has no run `{id}`")))?;
        let effects = runs::effects(db, id)?;
        Ok::<_, Refusal>(Progress { run, effects })
    };
    let sides = (found(here)?, found(there)?);
    let are_known = run_documents::are_known(db, here)? && run_documents::are_known(db, there)?;
    let documents = if are_known {
        let (same, different, named) = run_documents::compare(db, here, there, NAMED)?;
        Some(Documents {
            same,
            different,
            named,
        })
    } else {
        None
    };
    let (asked_here, asked_there) = (Asked::read(db, here)?, Asked::read(db, there)?);
    let operations = differing(&asked_here.operations, &asked_there.operations, true);
    let requests = differing(&asked_here.requests, &asked_there.requests, false);
    Ok(Compared {
        here: sides.0,
        there: sides.1,
        documents,
        operations: operations
            .map(|(name, here, there)| Operation { name, here, there })
            .collect(),
        requests: requests
            .take(NAMED)
            .map(|(request, here, there)| Request {
                request,
                here,
                there,
            })
            .collect(),
    })
}

/// How often a run asked for each operation, and made each request.
#[derive(Default)]
struct Asked {
    operations: BTreeMap<String, u64>,
    requests: BTreeMap<String, u64>,
}

impl Asked {
    fn read(db: &Connection, run: &str) -> Result<Self, StoreError> {
        let mut asked = Self::default();
        for log in requests::of_run(db, run)? {
            for (name, cost) in log.operations {
                *asked.operations.entry(name).or_default() += cost.calls;
            }
            for one in log.requests {
                let request = format!("{} {}", one.method, one.url);
                *asked.requests.entry(request).or_default() += 1;
            }
        }
        Ok(asked)
    }
}

/// The names with their two numbers: all of them, or those that differ.
fn differing(
    here: &BTreeMap<String, u64>,
    there: &BTreeMap<String, u64>,
    all: bool,
) -> impl Iterator<Item = (String, u64, u64)> {
    let names: std::collections::BTreeSet<_> = here.keys().chain(there.keys()).collect();
    let numbers = names.into_iter().map(|name| {
        let number = |side: &BTreeMap<String, u64>| side.get(name).copied().unwrap_or_default();
        (name.clone(), number(here), number(there))
    });
    numbers
        .filter(|(_, here, there)| all || here != there)
        .collect::<Vec<_>>()
        .into_iter()
}

fn render(frame: &Frame, data: &Compared) -> Markup {
    let head = |name: &str, side: &Progress| {
        let link = frame.link(Pane::Sync.path(), &[("run", &side.run.id)]);
        html! { p { span.chip { (name) } " " a href=(link) { (light(side.run.status)) " " (side.run.sync_type.to_string()) } " began " (ago(side.run.started_at)) " · " (brought(side)) } }
    };
    html! {
        div.title { h1 { "Two runs compared" } }
        div.stack {
            section.card { (head("this", &data.here)) (head("other", &data.there)) }
            section.card {
                h2 { "Documents" }
                @match &data.documents {
                    None => p.quiet { "The documents of one of the runs are not known: it sent none, or it is older than the last ten." },
                    Some(documents) => {
                        p { (count(documents.same)) " are the same, " (count(documents.different)) " differ." }
                        @if !documents.named.is_empty() { (documents_that_differ(frame, documents)) }
                    },
                }
            }
            section.card {
                h2 { "Requests" }
                @if data.operations.is_empty() { p.quiet { "The connector reported no requests of these runs." } }
                @else {
                    (numbers("Operation", data.operations.iter().map(|one| (&one.name, one.here, one.there))))
                    @if data.requests.is_empty() { p.quiet { "Both made the same requests, as far as they are kept." } }
                    @else { h3 { "Requests that differ" } (numbers("Request", data.requests.iter().map(|one| (&one.request, one.here, one.there)))) }
                }
            }
        }
    }
}

fn documents_that_differ(frame: &Frame, documents: &Documents) -> Markup {
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "not sent".to_owned());
    html! {
        div.scroll tabindex="0" role="region" aria-label="Documents that differ" {
            table {
                thead { tr { th { "Document" } th { "in this run" } th { "in the other" } } }
                tbody {
                    @for one in &documents.named {
                        tr {
                            td { a href=(frame.link(Pane::Documents.path(), &[("doc", &one.document_id)])) { (foreign(&cut(&one.document_id, 120))) } }
                            @if one.here == one.there { td colspan="2" { "sent by both, with another text, time, title or readers" } }
                            @else { td { (part(&one.here)) } td { (part(&one.there)) } }
                        }
                    }
                }
            }
        }
        @if documents.different > documents.named.len() as u64 { p.quiet { "The first " (documents.named.len()) " are named." } }
    }
}

fn numbers<'a>(title: &str, rows: impl Iterator<Item = (&'a String, u64, u64)>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table {
                thead { tr { th { (title) } th.number { "this" } th.number { "other" } } }
                tbody { @for (name, here, there) in rows {
                    tr { td { code { (foreign(&cut(name, 200))) } } td.number { (count(here)) } td.number { (count(there)) } }
                } }
            }
        }
    }
}
