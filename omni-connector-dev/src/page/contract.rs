//! The pane of the contract: the manifest, its changes since the last build, Omni's objections to it, and the documents
//! that its operators find.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use omni_connector::{
    Manifest, SearchOperator,
    schema::{Severity, check},
    wire::ActionMode,
};
use serde::Serialize;

use super::{
    Page,
    answer::{Ask, answer},
    checks,
    diff::{self, Change},
    frame::{Frame, Pane},
    show::{count, foreign},
    tree,
};
use crate::{
    rules::{Refusal, golden_file},
    store::{StoreError, review::Usage},
    workbench::Checks,
};

/// The data of the pane.
#[derive(Serialize)]
pub(super) struct Data {
    manifest: Option<Manifest>,
    verdicts: Vec<Verdict>,
    changes: Option<Vec<Change>>,
    operators: Vec<(SearchOperator, Usage)>,
    /// The checks that a person asked for last.
    checks: Option<Checks>,
}

/// A part that Omni would refuse, or accept without effect.
#[derive(Serialize)]
struct Verdict {
    is_error: bool,
    place: String,
    message: String,
    help: String,
}

pub(super) async fn pane(State(page): State<Page>, ask: Ask) -> Result<Response, Refusal> {
    let frame = Frame::read(&page, &ask).await?;
    let data = read(&page, &frame).await?;
    Ok(answer(&ask, &frame, Pane::Contract, &data, render))
}

/// Answers with the manifest as the file that the conformance checks compare.
pub(super) async fn file(State(page): State<Page>, ask: Ask) -> Result<Response, Refusal> {
    let frame = Frame::read(&page, &ask).await?;
    let none = || Refusal::NotFound("No connector has registered.".to_owned());
    let manifest = frame.manifest.ok_or_else(none)?;
    let text = golden_file(&manifest).map_err(|error| Refusal::Internal(error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"manifest.json\"",
        ),
    ];
    Ok((headers, text).into_response())
}

async fn read(page: &Page, frame: &Frame) -> Result<Data, StoreError> {
    let Some(manifest) = frame.manifest.clone() else {
        return Ok(Data {
            manifest: None,
            verdicts: Vec::new(),
            changes: None,
            operators: Vec::new(),
            checks: None,
        });
    };
    page.note_manifest(&manifest);
    let changes = page.memory(|memory| {
        let (now, before) = memory.manifests.as_ref()?;
        let before = serde_json::to_value(before.as_ref()?).ok()?;
        Some(diff::changes(&before, &serde_json::to_value(now).ok()?))
    });
    let operators = page.usage(manifest.search_operators.clone()).await?;
    let verdicts = check(&manifest).into_iter().map(|problem| Verdict {
        is_error: problem.severity == Severity::Error,
        place: problem.place,
        message: problem.message,
        help: problem.help,
    });
    Ok(Data {
        verdicts: verdicts.collect(),
        changes,
        operators,
        manifest: Some(manifest),
        checks: frame.bench().and_then(|bench| bench.checks.clone()),
    })
}

fn render(frame: &Frame, data: &Data) -> Markup {
    let Some(manifest) = &data.manifest else {
        return html! { div.empty { h1 { "No contract" } p { "No connector has registered." } } };
    };
    html! {
        div.title { h1 { (manifest.display_name) " " span.quiet { (manifest.version) } } }
        div.columns {
            div.stack {
                (checks::render(frame))
                (verdicts(&data.verdicts))
                @if let Some(changes) = &data.changes {
                    section.card { h2 { "Changed since the build before" } @if changes.is_empty() { p.quiet { "Nothing." } } @else { (diff::render(changes)) } }
                }
                (operators(frame, &data.operators))
            }
            section.card {
                h2 { "Manifest" }
                @if let Some(description) = &manifest.description { p { (foreign(description)) } }
                dl.members {
                    dt { "Id" } dd { code { (manifest.connector_id) } }
                    dt { "Sources" } dd { @for one in &manifest.source_types { span.chip { (one) } " " } }
                    dt { "Modes" } dd { @for mode in &manifest.sync_modes { span.chip { (mode.to_string()) } " " } }
                    dt { "Actions" } dd {
                        @if manifest.actions.is_empty() { "none" }
                        @for action in &manifest.actions {
                            a href=(frame.link(Pane::Actions.path(), &[("action", &action.name)])) { code { (action.name) } }
                            @if action.mode == ActionMode::Write { " " span.chip.write { "write" } } " "
                        }
                    }
                    @if manifest.mcp_enabled {
                        dt { "MCP" } dd { (manifest.resources.len()) " resources, " (manifest.prompts.len()) " prompts" @if !manifest.mcp_catalog_loaded { " (the lists are not known yet)" } }
                    }
                    @if !manifest.skills.is_empty() { dt { "Skills" } dd { @for skill in &manifest.skills { (foreign(&skill.title)) " " } } }
                    @if let Some(oauth) = &manifest.oauth { dt { "Sign-in" } dd { (oauth["provider"].as_str().unwrap_or("yes")) } }
                    @if manifest.read_only { dt { "Read only" } dd { "Omni blocks every action that writes." } }
                }
                details { summary { "As JSON" } (tree::tree(&serde_json::to_value(manifest).unwrap_or_default())) }
                p { a.button.small href=(frame.link("/dev/contract/manifest", &[])) download="manifest.json" { "Save as a file" } span.quiet { " As " code { "tests/manifest.json" } " the checks compare it." } }
            }
        }
    }
}

fn verdicts(verdicts: &[Verdict]) -> Markup {
    let refused = verdicts.iter().filter(|verdict| verdict.is_error).count();
    html! {
        section.card {
            h2 { "What Omni says" }
            @if refused > 0 { p.fault { "Omni would refuse this connector, or a part of it can never work." } }
            @else { p { span.chip.good { "accepted" } " Omni takes this registration." } }
            ul.doubts {
                @for verdict in verdicts {
                    li.serious[verdict.is_error] {
                        strong { (foreign(&verdict.place)) } ": " (foreign(&verdict.message))
                        p.help { (foreign(&verdict.help)) }
                    }
                }
            }
        }
    }
}

fn operators(frame: &Frame, operators: &[(SearchOperator, Usage)]) -> Markup {
    html! {
        section.card {
            h2 { "Search operators" }
            @if operators.is_empty() { p.quiet { "The connector declares none." } }
            @else {
                div.scroll tabindex="0" role="region" aria-label="Search operators" {
                    table {
                        thead { tr { th { "Operator" } th { "Attribute" } th { "Kind" } th.number { "Documents" } th { "Most frequent values" } } }
                        tbody {
                            @for (operator, usage) in operators {
                                tr {
                                    td { code { (operator.operator) ":" } }
                                    td { code { (operator.attribute_key) } }
                                    td { (operator.value_type) }
                                    td.number.bad[usage.documents == 0] { (count(usage.documents)) }
                                    td {
                                        @for found in &usage.values {
                                            @let shown = html! { (foreign(&found.value)) " " span.quiet { (count(found.times)) } };
                                            @if found.is_cut { span.value { (shown) } " " }
                                            @else {
                                                @let search = format!("{}:\"{}\"", operator.operator, found.value);
                                                a.value href=(frame.link(Pane::Documents.path(), &[("q", &search)])) { (shown) } " "
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
