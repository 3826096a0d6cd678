//! The pane of the sources: a form of the settings, a field for the secret without its value, and the consequences of
//! removing a source.

use std::collections::HashMap;

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use omni_connector::AuthType;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Page,
    answer::{Ask, answer, back, sentence},
    form::{self, Fields},
    frame::{Frame, Pane},
    show::{Html, ago, counted, foreign},
};
use crate::{
    lookup,
    rules::{self, Changes, Description, Listed, Refusal, Secret},
    store::StoreError,
    workbench::Schemas,
};

/// The data of the pane.
#[derive(Serialize)]
pub(super) struct Data {
    source: Option<Listed>,
    sources: Vec<Listed>,
    config_schema: Option<Value>,
    credentials_schema: Option<Value>,
    /// Whether a secret is stored. Actions of a connector without credentials need an empty row.
    has_secret: bool,
    #[serde(skip)]
    editing: Editing,
}

/// The settings in the form, which may be unsaved.
#[derive(Default)]
struct Editing {
    name: String,
    config: Value,
    faults: HashMap<String, String>,
    is_new: bool,
}

impl Data {
    fn new(frame: &Frame, schemas: Schemas, is_new: bool, has_secret: bool) -> Self {
        let source = frame.source.as_ref().filter(|_| !is_new);
        let name = frame
            .manifest
            .as_ref()
            .map(|manifest| manifest.display_name.clone());
        let editing = match source {
            Some(one) => Editing {
                name: one.source.name.clone(),
                config: one.source.config.clone(),
                ..Editing::default()
            },
            None => Editing {
                name: name.unwrap_or_default(),
                config: defaults(schemas.config.as_ref()),
                is_new: true,
                ..Editing::default()
            },
        };
        let copy = |one: &Listed| Listed {
            source: one.source.clone(),
            documents: one.documents,
            has_credential: one.has_credential,
            last_run: one.last_run.clone(),
        };
        Self {
            source: source.map(copy),
            sources: frame
                .source
                .iter()
                .chain(&frame.sources)
                .map(copy)
                .collect(),
            config_schema: schemas.config,
            credentials_schema: schemas.credentials,
            has_secret,
            editing,
        }
    }
}

async fn has_secret(page: &Page, frame: &Frame) -> Result<bool, StoreError> {
    let Some(one) = &frame.source else {
        return Ok(false);
    };
    let source = one.source.clone();
    let row = page
        .shared
        .store
        .read(move |db| lookup::owner_row(db, &source))
        .await?;
    Ok(row.is_some_and(|row| row.credentials != form::nothing()))
}

/// Returns the defaults that a schema declares for its members.
fn defaults(schema: Option<&Value>) -> Value {
    let members = schema.and_then(|schema| schema.get("properties")?.as_object());
    members
        .into_iter()
        .flatten()
        .filter_map(|(name, schema)| Some((name.clone(), schema.get("default")?.clone())))
        .collect()
}

pub(super) async fn pane(State(page): State<Page>, ask: Ask) -> Result<Response, Refusal> {
    let frame = Frame::read(&page, &ask).await?;
    let has_secret = has_secret(&page, &frame).await?;
    let schemas = page.shared.workbench.schemas();
    let data = Data::new(&frame, schemas, ask.get("new").is_some(), has_secret);
    Ok(answer(&ask, &frame, Pane::Source, &data, render))
}

/// Saves the settings, or answers with the form in another shape.
pub(super) async fn save(
    State(page): State<Page>,
    ask: Ask,
    Form(sent): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let fields = Fields::new(sent);
    let frame = Frame::read(&page, &ask).await?;
    let schemas = page.shared.workbench.schemas();
    let is_new = ask.get("new").is_some() || frame.source.is_none();
    let as_json = fields.get("as_json").is_some();
    let mut editing = Editing {
        name: fields.get("name").unwrap_or_default().trim().to_owned(),
        is_new,
        ..Editing::default()
    };
    let mut trouble = None;
    match (&schemas.config, as_json) {
        (Some(schema), false) => {
            let decoded = form::decode(schema, &fields);
            editing.config = decoded.value;
            editing.faults = decoded.faults;
        }
        _ => match serde_json::from_str(fields.get("json").unwrap_or_default()) {
            Ok(config @ Value::Object(_)) => editing.config = config,
            Ok(_) => trouble = Some("The settings are not a JSON object.".to_owned()),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                trouble = Some(format!(
                    "The settings are not JSON at line {line}, column {column}."
                ));
            }
        },
    }
    if editing.name.is_empty() {
        trouble = Some("A source needs a name.".to_owned());
    }
    let link = frame.link(Pane::Source.path(), &[]);
    if let Some(trouble) = trouble {
        page.complain(trouble);
        return Ok(back(&link));
    }
    if fields.is_reshaped() || !editing.faults.is_empty() {
        let has_secret = has_secret(&page, &frame).await?;
        let mut data = Data::new(&frame, schemas, is_new, has_secret);
        data.editing = editing;
        return Ok(Html(frame.page(Pane::Source, render(&frame, &data))).into_response());
    }
    match put(&page, &frame, editing).await {
        Ok(id) => {
            page.say("Saved. The next sync uses these settings.");
            Ok(back(&format!("{}?source={id}", Pane::Source.path())))
        }
        Err(refusal) => {
            page.complain(sentence(refusal));
            Ok(back(&link))
        }
    }
}

async fn put(page: &Page, frame: &Frame, editing: Editing) -> Result<String, Refusal> {
    let shared = &page.shared;
    if let (Some(one), false) = (&frame.source, editing.is_new) {
        let changes = Changes {
            name: Some(editing.name),
            config: Some(editing.config),
            secret: None,
        };
        return Ok(rules::change(shared, one.source.id.clone(), changes)
            .await?
            .id);
    }
    let types = frame
        .manifest
        .as_ref()
        .map(|manifest| &manifest.source_types);
    let Some(source_type) = types.and_then(|types| types.first()) else {
        return Err(Refusal::Conflict(
            "No connector has registered, so the type of the source is unknown.".to_owned(),
        ));
    };
    let description = Description {
        name: editing.name,
        source_type: source_type.clone(),
        config: Some(editing.config),
        secret: None,
        // Actions need a row, be it empty.
        needs_credential: true,
    };
    let described = rules::describe(shared, &page.descriptions, description).await?;
    Ok(described.source.id)
}

/// Replaces the secret. It is never sent back.
pub(super) async fn secret(
    State(page): State<Page>,
    ask: Ask,
    Form(sent): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let fields = Fields::new(sent);
    let frame = Frame::read(&page, &ask).await?;
    let link = frame.link(Pane::Source.path(), &[]);
    let schemas = page.shared.workbench.schemas();
    let read = match (&schemas.credentials, fields.get("json")) {
        (Some(schema), None) => {
            let decoded = form::decode(schema, &fields);
            decoded.faults.is_empty().then_some(decoded.value)
        }
        (_, text) => serde_json::from_str(text.unwrap_or_default()).ok(),
    };
    let auth_type = fields
        .get("auth_type")
        .and_then(|name| serde_json::from_value::<AuthType>(json!(name)).ok());
    match (frame.source, read.filter(Value::is_object)) {
        (None, _) => page.complain("Save the settings first; the secret belongs to a source."),
        // What was typed is secret, so nothing of it is repeated.
        (_, None) => {
            page.complain("The secret was not kept: it is not a JSON object of the expected form.");
        }
        (Some(one), Some(credentials)) => {
            let secret = Secret {
                provider: None,
                auth_type: auth_type.unwrap_or(AuthType::ApiKey),
                credentials,
            };
            let changes = Changes {
                secret: Some(secret),
                ..Changes::default()
            };
            match rules::change(&page.shared, one.source.id, changes).await {
                Ok(_) => page.say("The secret was kept. It is not shown again."),
                Err(refusal) => page.complain(sentence(refusal)),
            }
        }
    }
    Ok(back(&link))
}

/// Removes the source with everything that it brought.
pub(super) async fn remove(State(page): State<Page>, ask: Ask) -> Result<Response, Refusal> {
    let frame = Frame::read(&page, &ask).await?;
    if let Some(one) = frame.source {
        match rules::remove_source(&page.shared, one.source.id).await {
            Ok(()) => page.say(format!(
                "Removed {} with {}.",
                one.source.name,
                counted(one.documents, "document")
            )),
            Err(refusal) => page.complain(sentence(refusal)),
        }
    }
    Ok(back(Pane::Source.path()))
}

/// The form; until a connector has registered, what is waited for. That part is replaced by the form.
fn render(frame: &Frame, data: &Data) -> Markup {
    let is_waiting = data.editing.is_new && frame.manifest.is_none();
    html! {
        div.stack id="pane" data-live=[is_waiting.then_some("")] {
            @if is_waiting {
                div.empty {
                    h1 { "No connector yet" }
                    p { "It is built and started first. Its settings can be given as soon as it has registered." }
                }
            } @else { (settings(frame, data)) }
        }
    }
}

fn settings(frame: &Frame, data: &Data) -> Markup {
    let editing = &data.editing;
    let parameters: &[(&str, &str)] = if editing.is_new { &[("new", "1")] } else { &[] };
    html! {
        div.title {
            h1 { @if editing.is_new { "New source" } @else { (foreign(&editing.name)) } }
            @if let Some(one) = &data.source {
                p.quiet {
                    code { (one.source.source_type) } " · " (counted(one.documents, "document"))
                    @if let Some(run) = &one.last_run { " · last run " (ago(run.started_at)) }
                }
            }
            div.actions {
                @if !editing.is_new {
                    a.button href=(frame.link(Pane::Source.path(), &[("new", "1")])) { "Another source" }
                    form method="post" action=(frame.link("/dev/sync/begin", &[])) { button.primary data-press="r" { "Sync" } }
                }
            }
        }
        div.columns {
            section.card {
                h2 { "Settings" }
                form method="post" action=(frame.link(Pane::Source.path(), parameters)) {
                    div.field {
                        label for="name" { span.name { "Name" } }
                        input id="name" name="name" value=(editing.name) required autocomplete="off";
                    }
                    @match &data.config_schema {
                        Some(schema) => { (form::render(schema, Some(&editing.config), &editing.faults)) },
                        None => {
                            div.field {
                                label for="json" { span.name { "Settings, as JSON" } }
                                textarea.code id="json" name="json" rows="12" spellcheck="false" { (pretty(&editing.config)) }
                                p.help { "The connector prints no schema of its settings, so there is no form. A setting that it cannot read is named by the next sync." }
                            }
                        },
                    }
                    div.actions { button.primary type="submit" { "Save settings" } }
                }
                @if data.config_schema.is_some() {
                    details {
                        summary { "The same as JSON" }
                        form method="post" action=(frame.link(Pane::Source.path(), parameters)) {
                            input type="hidden" name="name" value=(editing.name);
                            input type="hidden" name="as_json" value="1";
                            textarea.code name="json" rows="10" spellcheck="false" aria-label="Settings, as JSON" { (pretty(&editing.config)) }
                            div.actions { button type="submit" { "Save this JSON" } }
                        }
                    }
                }
            }
            div.stack {
                @if let Some(one) = &data.source {
                    (secret_card(frame, data, one))
                    section.card {
                        h2 { "The same from a terminal" }
                        pre.command tabindex="0" { (command(one)) }
                    }
                    section.card.danger {
                        h2 { "Remove" }
                        p.quiet { "Removes the source, " (counted(one.documents, "document")) ", its groups, people, runs and checkpoint from the store on this machine." }
                        form method="post" action=(frame.link("/dev/source/remove", &[])) { button.bad data-confirm="Remove this source with everything that it brought?" { "Remove this source" } }
                    }
                } @else {
                    section.card { h2 { "Secret" } p.quiet { "Save the settings first. Then the secret can be given here." } }
                }
            }
        }
    }
}

fn secret_card(frame: &Frame, data: &Data, one: &Listed) -> Markup {
    let oauth = frame
        .manifest
        .as_ref()
        .is_some_and(|manifest| manifest.oauth.is_some());
    html! {
        section.card {
            h2 { "Secret" }
            p {
                @if data.has_secret { span.chip.good { "stored" } " It is never sent back to the browser." }
                @else { span.chip { "none" } " The source has no secret." }
            }
            details open[!data.has_secret] {
                summary { @if data.has_secret { "Replace it" } @else { "Give one" } }
                form method="post" action=(frame.link("/dev/source/secret", &[])) autocomplete="off" {
                    @match &data.credentials_schema {
                        Some(schema) => { (form::render(&hidden(schema), None, &HashMap::new())) },
                        None => div.field {
                            label for="secret" { span.name { "Credentials, as JSON" } }
                            textarea.code.masked id="secret" name="json" rows="4" spellcheck="false" placeholder="{ \"api_key\": \"…\" }" {}
                        },
                    }
                    div.field {
                        label for="auth_type" { span.name { "Kind" } }
                        select id="auth_type" name="auth_type" { @for kind in AuthType::ALL { option value=(kind.as_str()) selected[*kind == AuthType::ApiKey] { (kind.as_str()) } } }
                    }
                    div.actions { button type="submit" { "Keep the secret" } }
                }
            }
            @if oauth { p { a href={ "/api/oauth/start?source_id=" (one.source.id) } { "Sign in with the provider" } } }
        }
    }
}

/// Returns the schema of a secret with every string hidden while it is typed.
fn hidden(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for member in members.values_mut().filter_map(Value::as_object_mut) {
            member.insert("writeOnly".to_owned(), true.into());
        }
    }
    schema
}

/// Returns the command line that describes the same source.
fn command(one: &Listed) -> String {
    let mut command = format!(
        "cargo omni sources change '{}'",
        one.source.name.replace('\'', "'\\''")
    );
    for (name, value) in one.source.config.as_object().into_iter().flatten() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let value = value.replace('\'', "'\\''");
        command.extend([" \\\n  --set '", name, "=", &value, "'"]);
    }
    command
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
