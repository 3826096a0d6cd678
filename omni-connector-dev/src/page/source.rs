//! The pane of the sources: a form of the settings, a field for the secret without its value, and the consequences of
//! removing a source.

use std::collections::HashMap;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use omni_connector::AuthType;
use serde::Serialize;
use serde_json::Value;

use super::{
    Page,
    answer::{Ask, answer},
    form,
    frame::{Frame, Pane},
    show::{ago, counted, foreign},
};
use crate::{
    rules::{Listed, Refusal},
    workbench::Schemas,
};

/// The data of the pane.
#[derive(Serialize)]
pub(super) struct Data {
    source: Option<Listed>,
    sources: Vec<Listed>,
    config_schema: Option<Value>,
    credentials_schema: Option<Value>,
    #[serde(skip)]
    pub(super) editing: Editing,
}

/// The settings in the form, which may be unsaved.
#[derive(Default)]
pub(super) struct Editing {
    pub(super) name: String,
    pub(super) config: Value,
    pub(super) faults: HashMap<String, String>,
    pub(super) is_new: bool,
}

/// Whether the form makes a new source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum New {
    No,
    Empty,
    /// With the settings of the shown source.
    Copy,
}

impl New {
    pub(super) fn of(ask: &Ask) -> Self {
        match ask.get("new") {
            None => Self::No,
            Some("copy") => Self::Copy,
            Some(_) => Self::Empty,
        }
    }
}

impl Data {
    pub(super) fn new(frame: &Frame, schemas: Schemas, new: New) -> Self {
        let source = frame.source.as_ref().filter(|_| new == New::No);
        let copied = frame.source.as_ref().filter(|_| new == New::Copy);
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
            None if let Some(one) = copied => Editing {
                name: format!("{} (copy)", one.source.name),
                config: one.source.config.clone(),
                is_new: true,
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
            editing,
        }
    }
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
    let schemas = page.shared.workbench.schemas();
    let data = Data::new(&frame, schemas, New::of(&ask));
    Ok(answer(&ask, &frame, Pane::Source, &data, render))
}

/// The form; until a connector has registered, what is waited for. That part is replaced by the form.
pub(super) fn render(frame: &Frame, data: &Data) -> Markup {
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
                    a.button href=(frame.link(Pane::Source.path(), &[("new", "copy")])) { "Duplicate" }
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
                @if one.has_credential { span.chip.good { "stored" } " It is never sent back to the browser." }
                @else { span.chip { "none" } " The source has no secret." }
            }
            details open[!one.has_credential] {
                summary { @if one.has_credential { "Replace it" } @else { "Give one" } }
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
            @if one.has_credential {
                form method="post" action=(frame.link("/dev/source/sign-out", &[])) {
                    button.small data-confirm="Forget the secret of this source on this machine?" { @if oauth { "Sign out" } @else { "Forget it" } }
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
