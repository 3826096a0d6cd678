//! The pane of the actions. Each has a form from its schema, is called as a person, and shows its answer as a language
//! model receives it.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use omni_connector::wire::{ActionMode, ManifestAction};
use serde::Serialize;
use serde_json::Value;

use super::{
    Page,
    answer::{Ask, answer, sentence},
    diff::{self, Change},
    dry_run, form,
    frame::{Frame, Pane},
    kept_test,
    offers::{self, Offers},
    sent::Sent,
    show::{Html, bytes, cut, foreign, json},
    webhooks::{self, Webhooks},
};
use crate::{
    lookup,
    rules::{self, ActionCall, DryRun, Refusal},
    store::{StoreError, users::UserRole},
};

/// The longest answer that is kept and shown, in bytes.
const LONGEST: usize = 100 << 10;

/// A call with its answer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Called {
    pub(super) input: Value,
    pub(super) status: Option<u16>,
    /// The answer as JSON if it is JSON, else as a string; or a refusal of the manager.
    pub(super) answer: Value,
    size: u64,
    pub(super) viewer: Option<String>,
    took: Duration,
    /// What differs from the answer before; none without one.
    changes: Option<Vec<Change>>,
}

/// The data of the pane.
#[derive(Serialize)]
pub(super) struct Data {
    actions: Vec<ManifestAction>,
    action: Option<ManifestAction>,
    called: Option<Called>,
    dry_run: Option<DryRun>,
    webhooks: Webhooks,
    offers: Offers,
    /// A test in Rust that makes the same call.
    test: Option<String>,
    #[serde(skip)]
    editing: (Value, HashMap<String, String>),
}

impl Data {
    async fn read(page: &Page, frame: &Frame, wanted: Option<&str>) -> Result<Self, StoreError> {
        let manifest = frame.manifest.as_ref();
        let actions = manifest
            .map(|manifest| manifest.actions.clone())
            .unwrap_or_default();
        let action = actions
            .iter()
            .find(|action| wanted == Some(action.name.as_str()));
        let action = action.or(actions.first()).cloned();
        let name = action
            .as_ref()
            .map(|action| action.name.as_str())
            .unwrap_or_default();
        let (called, dry_run) = page.memory(|memory| {
            let dry_run = memory.dry_runs.get(name).cloned();
            (memory.answers.get(name).cloned(), dry_run)
        });
        let input = dry_run
            .as_ref()
            .map(|dry_run| &dry_run.input)
            .or(called.as_ref().map(|called| &called.input));
        let input = input.map_or_else(form::nothing, Value::clone);
        let test = match (manifest, &frame.source, &called) {
            (Some(manifest), Some(one), Some(called)) => {
                let (package, config) = (&manifest.name, &one.source.config);
                Some(kept_test::of(package, config, name, called))
            }
            _ => None,
        };
        Ok(Self {
            test,
            webhooks: Webhooks::read(page, frame).await?,
            offers: Offers::read(page, frame),
            actions,
            action,
            called,
            dry_run,
            editing: (input, HashMap::new()),
        })
    }
}

pub(super) async fn pane(State(page): State<Page>, ask: Ask) -> Result<Response, Refusal> {
    let frame = Frame::read(&page, &ask).await?;
    let data = Data::read(&page, &frame, ask.get("action")).await?;
    Ok(answer(&ask, &frame, Pane::Actions, &data, render))
}

/// Calls an action, or answers with its form in another shape.
pub(super) async fn call(sent: Sent) -> Response {
    let data = match Data::read(&sent.page, &sent.frame, sent.ask.get("action")).await {
        Ok(data) => data,
        Err(error) => return sent.end_at(Pane::Actions, Err(error.into())),
    };
    let name = data.action.as_ref().map(|action| action.name.clone());
    let name = name.unwrap_or_default();
    let to = sent.frame.link(Pane::Actions.path(), &[("action", &name)]);
    match try_call(&sent, data).await {
        Ok(None) => sent.end(&to, Ok(String::new())),
        Ok(Some(answer)) => answer,
        Err(refusal) => sent.end(&to, Err(refusal)),
    }
}

/// Calls the action and keeps its answer, unless the form is answered with another form.
async fn try_call(sent: &Sent, mut data: Data) -> Result<Option<Response>, Refusal> {
    let Some(action) = data.action.clone() else {
        let text = "The connector has no actions.";
        return Err(Refusal::NotFound(text.to_owned()));
    };
    let one = sent.source()?;
    let decoded = sent.object(Some(&action.input_schema), "The input is")?;
    let is_of_controls = sent.fields.get("as_json").is_none();
    if is_of_controls && (sent.fields.is_reshaped() || !decoded.faults.is_empty()) {
        data.editing = (decoded.value, decoded.faults);
        let form = sent.frame.page(Pane::Actions, render(&sent.frame, &data));
        return Ok(Some(Html(form).into_response()));
    }
    let (page, frame) = (&sent.page, &sent.frame);
    let call = call_of(page, frame, &one.source.id, &action.name, decoded.value).await?;
    if sent.fields.get("dry").is_some() {
        let tried = rules::dry_run(&page.shared, call).await?;
        page.memory(|memory| memory.dry_runs.insert(action.name, tried));
        return Ok(None);
    }
    let mut called = perform(page, frame, call).await;
    page.memory(|memory| {
        memory.dry_runs.remove(&action.name);
        let before = memory.answers.get(&action.name);
        called.changes = before.map(|before| diff::changes(&before.answer, &called.answer));
        memory.answers.insert(action.name, called)
    });
    Ok(None)
}

async fn call_of(
    page: &Page,
    frame: &Frame,
    source_id: &str,
    action: &str,
    input: Value,
) -> Result<ActionCall, Refusal> {
    let user_id = match &frame.viewer {
        Some(viewer) => Some(lookup::user(&page.shared, viewer, UserRole::User).await?.id),
        None => None,
    };
    Ok(ActionCall {
        source_id: Some(source_id.to_owned()),
        source_type: None,
        user_id,
        action: action.to_owned(),
        params: input,
        transient_credentials: None,
    })
}

async fn perform(page: &Page, frame: &Frame, call: ActionCall) -> Called {
    let input = call.params.clone();
    let started = Instant::now();
    let answered = rules::call(&page.shared, call).await;
    let took = started.elapsed();
    let (status, answer, size) = match answered {
        Ok(answered) => {
            let size = answered.body.len();
            let value = match serde_json::from_slice(&answered.body) {
                Ok(value) if size <= LONGEST => value,
                _ => cut(
                    &String::from_utf8_lossy(&answered.body[..size.min(LONGEST)]),
                    LONGEST,
                )
                .into(),
            };
            (Some(answered.status.as_u16()), value, size as u64)
        }
        Err(error) => (None, sentence(error.into()).into(), 0),
    };
    Called {
        input,
        status,
        answer,
        size,
        viewer: frame.viewer.clone(),
        took,
        changes: None,
    }
}

fn render(frame: &Frame, data: &Data) -> Markup {
    let Some(action) = &data.action else {
        return html! {
            div.empty { h1 { "No actions" } p { "The connector declares none, or has not registered." } }
            (offers::render(frame, &data.offers))
            (webhooks::render(frame, &data.webhooks))
        };
    };
    let link = frame.link(Pane::Actions.path(), &[("action", &action.name)]);
    let (input, faults) = &data.editing;
    html! {
        div.title { h1 { "Actions" @if let Some(viewer) = &frame.viewer { span.quiet { " as " (viewer) } } } }
        div.columns.list-left {
            nav.card.choices aria-label="Actions" {
                @for one in &data.actions {
                    a href=(frame.link(Pane::Actions.path(), &[("action", &one.name)])) aria-current=[(one.name == action.name).then_some("true")] {
                        code { (one.name) } " " (mode(one))
                    }
                }
            }
            div.stack {
                section.card {
                    h2 { code { (action.name) } " " (mode(action)) @if action.admin_only { " " span.chip { "admins" } } @if action.hidden { " " span.chip { "hidden" } } }
                    p { (foreign(&action.description)) }
                    @if let Some(scopes) = &action.required_scopes { @if !scopes.is_empty() { p.quiet { "Needs the scopes " @for scope in scopes { code { (scope) } " " } } } }
                    form method="post" action=(link) {
                        (form::render(&action.input_schema, Some(input), faults))
                        div.actions {
                            button.primary { "Call" @if let Some(viewer) = &frame.viewer { " as " (viewer) } }
                            button name="dry" value="1" title="Calls the connector, and stops each request that may change something" { "Dry run" }
                            @if action.mode == ActionMode::Write { span.quiet { "This one changes something in the source." } }
                        }
                    }
                    details {
                        summary { "As JSON, or what a model sent" }
                        form method="post" action=(link) {
                            input type="hidden" name="as_json" value="1";
                            textarea.code name="json" rows="6" spellcheck="false" aria-label="Input, as JSON" { (serde_json::to_string_pretty(input).unwrap_or_default()) }
                            div.actions { button { "Call with this JSON" } button name="dry" value="1" { "Dry run" } }
                        }
                    }
                    details { summary { "Its schema" } (json(&action.input_schema)) }
                }
                @if let Some(tried) = &data.dry_run { (dry_run::render(frame, &link, tried)) }
                @if let Some(called) = &data.called { (answered(called, data.test.as_deref())) }
                (offers::render(frame, &data.offers))
                (webhooks::render(frame, &data.webhooks))
            }
        }
    }
}

fn mode(action: &ManifestAction) -> Markup {
    html! { @if action.mode == ActionMode::Write { span.chip.write { "write" } } @else { span.chip { "read" } } }
}

fn answered(called: &Called, kept: Option<&str>) -> Markup {
    let is_good = called
        .status
        .is_some_and(|status| (200..300).contains(&status));
    html! {
        section.card id="answer" {
            h2 { "Answer" }
            p {
                span.chip.good[is_good].bad[!is_good] { @match called.status { Some(status) => (status), None => "not called" } }
                span.quiet { " " (format!("{:.0} ms", called.took.as_secs_f64() * 1000.0)) " · " (bytes(called.size)) @if let Some(viewer) = &called.viewer { " · as " (viewer) } }
            }
            @match &called.answer {
                Value::String(text) => pre.text tabindex="0" { (foreign(text)) },
                value => (json(value)),
            }
            @match called.changes.as_deref() {
                None => {},
                Some([]) => p.quiet { "The same as the answer before." },
                Some(changes) => details open { summary { "What differs from the answer before" } (diff::render(changes)) },
            }
            details { summary { "What was sent" } (json(&called.input)) }
            @if let Some(kept) = kept {
                details id="test" {
                    summary { "Keep as a test" }
                    p.help { "For a file in `tests` of the package, which needs omni-connector-dev with its feature `testing`." }
                    pre.command tabindex="0" { (foreign(kept)) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kept_test_is_one_that_the_hello_example_compiles_and_runs() {
        let called = |input, status, answer, viewer: Option<&str>| Called {
            input,
            status: Some(status),
            answer,
            size: 0,
            viewer: viewer.map(str::to_owned),
            took: Duration::ZERO,
            changes: None,
        };
        let answer = called(
            json!({ "word": "engine" }),
            200,
            json!({ "status": "success", "result": 1 }),
            None,
        );
        let refusal = called(
            json!({ "word": 7 }),
            400,
            json!({ "error": "invalid params: `word` is of the wrong type, expected a string" }),
            Some("ada@example.com"),
        );
        for (file, called) in [("answer", answer), ("refusal", refusal)] {
            let kept = format!(
                "{}/../examples/hello/tests/kept/{file}.rs",
                env!("CARGO_MANIFEST_DIR")
            );
            let kept = std::fs::read_to_string(kept).unwrap();
            let written = kept_test::of("hello", &json!({}), "count", &called);
            // The file is formatted.
            let plain = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(plain(&written), plain(&kept), "{file}:\n{written}");
        }
    }
}
