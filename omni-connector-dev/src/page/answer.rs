//! Answers a request with a whole page for a browser, or with the same data as JSON for a program that accepts JSON.

use std::collections::HashMap;

use axum::{
    Json,
    extract::{FromRequestParts, Query},
    http::{HeaderName, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use maud::Markup;
use serde::Serialize;

use super::{
    frame::{Frame, Pane},
    show::Html,
};
use crate::rules::Refusal;

/// The query parameters of a request, and whether it accepts JSON.
#[derive(Debug, Clone, Default)]
pub(super) struct Ask {
    parameters: HashMap<String, String>,
    wants_json: bool,
    shows_notices: bool,
}

impl Ask {
    /// Returns a parameter that is present and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.parameters.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// Returns the parameter as an owned string.
    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// Whether a program asks, which reads JSON.
    pub(super) fn wants_json(&self) -> bool {
        self.wants_json
    }

    /// Whether a person reads the answer. The script's own requests replace only parts of a page.
    pub(super) fn shows_notices(&self) -> bool {
        self.shows_notices
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Ask {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Query(parameters) = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let header = |name| {
            let value = parts.headers.get(name);
            value.and_then(|value| value.to_str().ok())
        };
        let accepted = header(header::ACCEPT).unwrap_or_default();
        let wants_json = accepted.contains("application/json");
        let kind = header(HeaderName::from_static("sec-fetch-dest"));
        Ok(Self {
            parameters: parameters.into_iter().collect(),
            wants_json,
            shows_notices: !wants_json && kind.is_none_or(|kind| kind == "document"),
        })
    }
}

/// Answers with the data of a pane as JSON, or rendered in the frame.
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

/// Redirects a browser back to a page after a change.
pub(super) fn back(to: &str) -> Response {
    Redirect::to(to).into_response()
}

/// Converts a refusal to a sentence for people.
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
