//! One call to the source: its request and its answer, without secrets. A person makes it once more, or keeps it on a tape.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use omni_connector::{
    SourceRequest,
    http::{Exchange, Recorded, Repeated, RequestId, TapeHead},
};
use reqwest::Method;
use serde::Serialize;

use super::{
    Page,
    answer::Ask,
    diff::{self, Change},
    frame::{Frame, Pane},
    requests::shown_run,
    sent::Sent,
    show::{count, cut, foreign},
    tree::tree,
};
use crate::{
    rules::{MadeOf, Refusal},
    store::{StoreError, requests},
};

/// The longest text that is shown of a body, in characters.
const LONGEST: usize = 100_000;

/// A call that a person opened.
#[derive(Serialize)]
pub(super) struct OpenCall {
    /// The id for links: the time when its process began with the run, and its number.
    id: String,
    #[serde(flatten)]
    request: SourceRequest,
    /// The documents of the run that were probably made of the answer.
    documents: Vec<MadeOf>,
    /// What came when it was made once more.
    repeated: Option<Repeated>,
    /// What differs then from the first answer.
    changes: Vec<Change>,
}

/// A call of a run that was made once more.
#[derive(Debug)]
pub(super) struct RepeatedCall {
    run: String,
    id: RequestId,
    repeated: Repeated,
}

/// Reads the id of a call: its number, after the time of its process if there were several.
fn parse(id: &str) -> Option<(Option<u64>, u64)> {
    match id.split_once('-') {
        Some((began, number)) => Some((Some(began.parse().ok()?), number.parse().ok()?)),
        None => Some((None, id.parse().ok()?)),
    }
}

impl OpenCall {
    pub(super) async fn read(page: &Page, run: &str, id: &str) -> Result<Option<Self>, StoreError> {
        let Some((began, number)) = parse(id) else {
            return Ok(None);
        };
        let wanted = run.to_owned();
        let found = page.shared.store.read(move |db| {
            let Some((began_ms, request)) = requests::find(db, &wanted, began, number)? else {
                return Ok(None);
            };
            let exchange = request.exchange.as_ref();
            let documents = exchange.map(|exchange| MadeOf::find(db, &wanted, exchange));
            let documents = documents.transpose()?.unwrap_or_default();
            Ok::<_, StoreError>(Some((began_ms, request, documents)))
        });
        let Some((began_ms, request, documents)) = found.await? else {
            return Ok(None);
        };
        let id = RequestId { began_ms, number };
        let repeated = page.memory(|memory| {
            let known = memory.repeated.as_ref();
            let same = known.filter(|known| known.run == run && known.id == id);
            same.map(|known| known.repeated.clone())
        });
        let answered = |exchange: &Option<Exchange>| {
            let answered = exchange.as_ref().map(|exchange| &exchange.answered);
            answered.and_then(|answered| serde_json::to_value(answered).ok())
        };
        let again = repeated.as_ref().map(|again| answered(&again.exchange));
        let changes = match (answered(&request.exchange), again.flatten()) {
            (Some(before), Some(after)) => diff::changes(&before, &after),
            _ => Vec::new(),
        };
        Ok(Some(Self {
            id: format!("{began_ms}-{number}"),
            request,
            documents,
            repeated,
            changes,
        }))
    }
}

/// Makes a call once more. It must be one that only reads.
pub(super) async fn repeat(sent: Sent) -> Response {
    let run = sent.ask.get("run").unwrap_or_default().to_owned();
    let call = sent.ask.get("call").unwrap_or_default().to_owned();
    let done = try_repeat(&sent, &call).await;
    let to = sent
        .frame
        .link(Pane::Requests.path(), &[("run", &run), ("call", &call)]);
    sent.end(&to, done)
}

async fn try_repeat(sent: &Sent, call: &str) -> Result<String, Refusal> {
    let (page, frame) = (&sent.page, &sent.frame);
    let none = || Refusal::NotFound(format!("the run has no call `{call}`"));
    let run = shown_run(page, frame, &sent.ask)
        .await?
        .ok_or_else(none)?
        .run
        .id;
    let open = OpenCall::read(page, &run, call).await?.ok_or_else(none)?;
    let (began_ms, number) = parse(&open.id).ok_or_else(none)?;
    let id = RequestId {
        began_ms: began_ms.unwrap_or_default(),
        number,
    };
    if !matches!(open.request.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        let method = &open.request.method;
        return Err(Refusal::BadRequest(format!(
            "a {method} may change something, so it is not made once more; `As curl` copies it"
        )));
    }
    let gone = || {
        Refusal::Conflict(
            "The connector does not have this call any more: it has restarted, or has made 200 calls since. Sync again, then repeat one of the new calls."
                .to_owned(),
        )
    };
    let manifest = frame.manifest.as_ref().ok_or_else(gone)?;
    let url = format!("{}/dev/repeat", manifest.connector_url);
    let answer = page.shared.connectors.send(Method::POST, &url, Some(&id));
    let answer = answer
        .await
        .ok()
        .filter(|answer| answer.status().is_success());
    let answer = answer.ok_or_else(gone)?;
    let repeated: Repeated = answer.json().await.map_err(|_| gone())?;
    let done = match &repeated.error {
        Some(error) => format!("Made once more. It failed: {error}"),
        None => format!("Made once more in {} ms.", count(repeated.took_ms)),
    };
    page.memory(|memory| memory.repeated = Some(RepeatedCall { run, id, repeated }));
    Ok(done)
}

/// Answers with a tape of one call, or of all calls of an operation or a run that are kept with their answers.
pub(super) async fn tape(State(page): State<Page>, ask: Ask) -> Result<Response, Refusal> {
    let frame = Frame::read(&page, &ask).await?;
    let run = shown_run(&page, &frame, &ask).await?;
    let kept = match run {
        Some(run) => {
            let kept = page
                .shared
                .store
                .read(move |db| requests::exchanges(db, &run.run.id));
            kept.await?
        }
        None => Vec::new(),
    };
    let call = ask.get("call").and_then(parse);
    let is_wanted = |(id, exchange): &(RequestId, Exchange)| {
        let is_call = call.is_none_or(|(began, number)| {
            number == id.number && began.is_none_or(|began| began == id.began_ms)
        });
        is_call
            && ask
                .get("op")
                .is_none_or(|operation| operation == exchange.operation)
    };
    let kept: Vec<_> = kept
        .into_iter()
        .filter(is_wanted)
        .map(|(_, exchange)| exchange)
        .collect();
    if kept.is_empty() {
        let text = "no such call is kept with its answer\nhelp: answers of the latest calls are kept, up to 128 KB each, while `cargo omni dev` runs the connector";
        return Err(Refusal::NotFound(text.to_owned()));
    }
    let name = frame
        .manifest
        .as_ref()
        .map_or("connector", |manifest| &manifest.connector_id);
    let tape = TapeHead::tape(name, &kept).map_err(|error| Refusal::Internal(error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"kept.tape\"",
        ),
    ];
    Ok((headers, tape).into_response())
}

/// Renders an open call, with the controls that make it once more and keep it.
pub(super) fn render(frame: &Frame, run: &str, call: &OpenCall) -> Markup {
    let request = &call.request;
    let link = |path| frame.link(path, &[("run", run), ("call", &call.id)]);
    html! {
        section.card id="call" {
            h2 { code { (request.method) " " (foreign(&cut(&request.url, 400))) } }
            div.actions {
                @if matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
                    form method="post" action=(link("/dev/requests/repeat")) { button { "Make it once more" } }
                }
                @if request.exchange.is_some() { a.button href=(link("/dev/requests/tape")) download="kept.tape" { "Keep as a tape" } }
            }
            @match &request.exchange {
                Some(exchange) => (both(exchange)),
                None => p.quiet { "The answer is not kept: there was none, it is a file, it is longer than 128 KB, or it is one of the older calls." },
            }
            @if !call.documents.is_empty() {
                h3 id="made" { "Documents that were probably made of it" }
                ul { @for MadeOf { document_id, title, place } in &call.documents {
                    li { a href=(frame.link(Pane::Documents.path(), &[("doc", document_id)])) { (foreign(title)) } " " span.quiet { (foreign(place)) } }
                } }
            }
            @if let Some(repeated) = &call.repeated { (again(repeated, &call.changes)) }
        }
    }
}

fn again(repeated: &Repeated, changes: &[Change]) -> Markup {
    html! {
        h3 id="repeated" { "Made once more: " (repeated.outcome) " " span.quiet { (count(repeated.took_ms)) " ms" } }
        @if let Some(error) = &repeated.error { p.fault { (foreign(&cut(error, 600))) } }
        @match &repeated.exchange {
            Some(_) if changes.is_empty() => p { "The answer is the same." },
            Some(exchange) => {
                p.quiet { "What differs from the first answer:" }
                (diff::render(changes))
                details { summary { "The whole answer" } (body(&exchange.answered.body)) }
            },
            None => p.quiet { "There was no answer, or a long one." },
        }
    }
}

fn both(exchange: &Exchange) -> Markup {
    let Exchange {
        asked, answered, ..
    } = exchange;
    html! {
        div.columns {
            div {
                h3 { "Request" }
                @if !asked.query.is_empty() { dl.members { @for (name, value) in &asked.query { dt { (foreign(name)) } dd { (foreign(value)) } } } }
                @for (name, value) in &asked.headers { p.quiet { code { (name) ": " (foreign(value)) } } }
                (body(&asked.body))
            }
            div {
                h3 { "Answer " (answered.status) }
                @for (name, value) in &answered.headers { p.quiet { code { (name) ": " (foreign(value)) } } }
                (body(&answered.body))
            }
        }
    }
}

fn body(body: &Recorded) -> Markup {
    html! {
        @match body {
            Recorded::Empty => p.quiet { "No body." },
            Recorded::Json(value) => (tree(value)),
            Recorded::Form(fields) => dl.members { @for (name, value) in fields { dt { (foreign(name)) } dd { (foreign(&cut(value, 1000))) } } },
            Recorded::Text(text) => pre.text tabindex="0" { (foreign(&cut(text, LONGEST))) },
            Recorded::Bytes { length, .. } => p.quiet { (count(*length as u64)) " bytes that are not text." },
            Recorded::Streamed => p.quiet { "A form with files, which is not kept." },
        }
    }
}
