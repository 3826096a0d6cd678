//! One field that leads anywhere: a pane, an action, or a search of the documents. Opens with ⌘K or Ctrl K.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use serde_json::json;

use super::{
    Page,
    answer::{Ask, back},
    frame::{Frame, Pane},
};
use crate::rules::Refusal;

/// Leads to the place that the words name.
pub(super) async fn go(State(page): State<Page>, ask: Ask) -> Result<Response, Refusal> {
    let frame = Frame::read(&page, &ask).await?;
    let words = ask.get("go").unwrap_or_default();
    let to = place(&frame, words);
    Ok(if ask.wants_json() {
        Json(json!({ "to": to })).into_response()
    } else {
        back(&to)
    })
}

fn place(frame: &Frame, words: &str) -> String {
    let lower = words.to_lowercase();
    let mut panes = Pane::ALL.into_iter();
    if let Some(pane) = panes.find(|pane| pane.name().to_lowercase().starts_with(&lower)) {
        return frame.link(pane.path(), &[]);
    }
    let actions = frame.manifest.iter().flat_map(|manifest| &manifest.actions);
    let mut names = actions.map(|action| &action.name);
    match names.find(|name| name.to_lowercase().contains(&lower)) {
        Some(name) => frame.link(Pane::Actions.path(), &[("action", name)]),
        None => frame.link(Pane::Documents.path(), &[("q", words)]),
    }
}

/// Renders the field in a dialog, with the places that it knows.
pub(super) fn dialog(frame: &Frame) -> Markup {
    html! {
        dialog id="palette" aria-label="Go to" {
            form method="get" action="/dev/go" {
                (frame.kept())
                input name="go" list="places" aria-label="Pane, action or words" placeholder="pane, action or words" autocomplete="off" required;
                datalist id="places" {
                    @for pane in Pane::ALL { option value=(pane.name()) {} }
                    @if let Some(manifest) = &frame.manifest {
                        @for action in &manifest.actions { option value=(action.name) {} }
                        @for operator in &manifest.search_operators { option value={ (operator.operator) ":" } {} }
                    }
                }
                button.primary { "Go" }
            }
        }
    }
}
