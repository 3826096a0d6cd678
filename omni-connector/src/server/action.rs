//! `/action`: one call of an action (`protocol.md` §2.6).

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Map, Value};
use tokio::time::timeout;
use tracing::{Instrument, field};

use super::{App, body::Body};
use crate::{
    connector::{
        ActionCall,
        actions::{ActionResponse, perform},
    },
    wire::ActionRequest,
};

/// The manager waits 30 s for an answer (`protocol.md` §2.1). The caller is told why there is none just before that.
const PATIENCE: Duration = Duration::from_secs(29);

/// Longer ids and names are not taken over into the log.
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
    let name = call.action.clone();
    // What runs goes on beyond this, in a task of its own: a write must not be stopped half-way.
    let performed = perform(app.connector, app.runs.tasks(), call);
    timeout(PATIENCE, performed).await.unwrap_or_else(|_| {
        let seconds = PATIENCE.as_secs();
        tracing::warn!("the action runs for longer than {seconds} s; the caller was told so, and it goes on");
        ActionResponse::error(format!(
            "action `{name}` did not end within {seconds} s, which is as long as Omni waits; it may still take effect"
        ))
        .into_response_with_status(StatusCode::GATEWAY_TIMEOUT)
    })
}
