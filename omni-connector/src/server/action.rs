//! `/action`: one call of an action (`protocol.md` §2.6).

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use axum::{extract::State, http::HeaderMap, response::Response};
use serde_json::{Map, Value};
use tracing::{Instrument, field};

use super::{App, body::Body};
use crate::{
    connector::{ActionCall, actions::perform},
    wire::ActionRequest,
};

/// Longer ids and names are cut in the log.
const LONGEST_ID: usize = 128;

pub(super) async fn call(
    State(app): State<App>,
    headers: HeaderMap,
    Body(request): Body<ActionRequest>,
) -> Response {
    let source = request.source.as_ref().map(|source| short(&source.id));
    // At the highest level, so that a line filter keeps the span of the lines.
    let span = tracing::error_span!(
        "action",
        action = short(&request.action),
        source,
        request_id = request_id(&headers),
        status = field::Empty,
    );
    let (name, started) = (request.action.clone(), Instant::now());
    let response = answer(app.clone(), request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.record("status", status);
    app.manager
        .metrics()
        .action(&name, status, started.elapsed());
    response
}

/// Cuts a foreign string to the length that each log line may carry.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_ID)]
}

/// Returns the caller's request id, or generates one.
fn request_id(headers: &HeaderMap) -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let given = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    match given.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID) {
        Some(id) => id.to_owned(),
        None => format!(
            "{}-{}",
            std::process::id(),
            CALLS.fetch_add(1, Ordering::Relaxed)
        ),
    }
}

async fn answer(app: App, request: ActionRequest) -> Response {
    let call = ActionCall {
        action: request.action,
        params: if request.params.is_null() {
            Value::Object(Map::new())
        } else {
            request.params
        },
        credentials: request.credentials,
        source: request.source,
        actor_email: request.actor_email,
        manager: app.manager.clone(),
    };
    perform(app.connector, app.runs.tasks(), call).await
}
