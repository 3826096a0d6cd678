//! One handler, two answers: a whole page for a browser, the same data as JSON for a program that accepts JSON.

use std::collections::HashMap;

use axum::{
    Json,
    extract::{FromRequestParts, Query},
    http::{header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use maud::Markup;
use serde::Serialize;

use super::{
    frame::{Frame, Pane},
    show::Html,
};
use crate::rules::Refusal;

/// What a request asks for: the parameters of its address, and whether it wants JSON.
#[derive(Debug, Clone, Default)]
pub(super) struct Ask {
    parameters: HashMap<String, String>,
    wants_json: bool,
}

impl Ask {
    /// A parameter that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.parameters.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// The same, to keep.
    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Ask {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Query(parameters) = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let accepted = parts.headers.get(header::ACCEPT);
        let accepted = accepted
            .and_then(|accepted| accepted.to_str().ok())
            .unwrap_or_default();
        Ok(Self {
            parameters: parameters.into_iter().collect(),
            wants_json: accepted.contains("application/json"),
        })
    }
}

/// The data of a pane as JSON, or rendered within the frame.
pub(super) fn answer<T: Serialize>(
    ask: &Ask,
    frame: &Frame,
    pane: Pane,
    data: &T,
    render: impl FnOnce(&Frame, &T) -> Markup,
) -> Response {
    if ask.wants_json {
        Json(data).into_response()
    } else {
        Html(frame.page(pane, render(frame, data))).into_response()
    }
}

/// Leads a browser back to a page after something was done.
pub(super) fn back(to: &str) -> Response {
    Redirect::to(to).into_response()
}

/// A refusal as the sentences that people read.
pub(super) fn sentence(refusal: Refusal) -> String {
    match refusal {
        Refusal::BadRequest(text)
        | Refusal::NotFound(text)
        | Refusal::Conflict(text)
        | Refusal::TooLarge(text)
        | Refusal::Internal(text) => text,
        Refusal::PreconditionFailed(body) => match body["error"].as_str() {
            Some(text) => text.to_owned(),
            None => body.to_string(),
        },
        Refusal::Busy(seconds) => format!("The manager is busy; try again in {seconds} s."),
    }
}
