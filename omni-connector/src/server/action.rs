//! `/action`: one call of an action (`protocol.md` §2.6).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    Json,
    body::to_bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::timeout;
use tracing::{Instrument, field};

use super::{App, PATIENCE, body::Body};
use crate::{
    connector::{
        ActionCall,
        actions::{ActionResponse, perform},
    },
    http::{DryRun, StoppedRequest},
    wire::ActionRequest,
};

/// The longest answer of a dry run, in bytes.
const LONGEST_ANSWER: usize = 1 << 20;

/// Longer ids and names are not taken over into the log.
const LONGEST_ID: usize = 128;

pub(super) async fn call(
    State(app): State<Arc<App>>,
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
    let response = answer(&app, request).instrument(span.clone()).await;
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

/// The outcome of a dry run.
#[derive(Serialize)]
struct Tried {
    /// The first request that may change something.
    stopped: Option<StoppedRequest>,
    status: u16,
    answer: Value,
}

/// Calls an action, and stops the requests that may change something.
pub(super) async fn dry_run(
    State(app): State<Arc<App>>,
    Body(request): Body<ActionRequest>,
) -> Response {
    if app.connector.mcp_behind().is_some() {
        return unable("an MCP server is behind the connector, whose tools cannot be stopped");
    }
    let Some(dry) = DryRun::begin() else {
        return unable("another dry run is under way");
    };
    let call = call_of(&app, request);
    // It may take longer than the caller waits, and must end before real requests are made again.
    let tried = tokio::spawn(async move {
        let response = perform(Arc::clone(&app.connector), app.runs.tasks(), call).await;
        (response, dry.end())
    });
    match timeout(PATIENCE, tried).await {
        Ok(Ok((response, stopped))) => {
            let status = response.status().as_u16();
            let answer = match to_bytes(response.into_body(), LONGEST_ANSWER).await {
                Ok(bytes) => serde_json::from_slice(&bytes)
                    .unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into()),
                Err(_) => Value::String("the answer is too long to be shown".to_owned()),
            };
            let tried = Tried {
                stopped,
                status,
                answer,
            };
            Json(tried).into_response()
        }
        _ => unable("the action did not end in time"),
    }
}

fn unable(why: &str) -> Response {
    ActionResponse::error(why).into_response_with_status(StatusCode::CONFLICT)
}

fn call_of(app: &App, request: ActionRequest) -> ActionCall {
    ActionCall {
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
    }
}

async fn answer(app: &App, request: ActionRequest) -> Response {
    let call = call_of(app, request);
    let name = call.action.clone();
    // What runs goes on beyond this, in a task of its own: a write must not be stopped half-way.
    let performed = perform(Arc::clone(&app.connector), app.runs.tasks(), call);
    timeout(PATIENCE, performed).await.unwrap_or_else(|_| {
        let seconds = PATIENCE.as_secs();
        tracing::warn!("the action runs for longer than {seconds} s; the caller was told so, and it goes on");
        ActionResponse::error(format!(
            "action `{name}` did not end within {seconds} s, which is as long as Omni waits; it may still take effect"
        ))
        .into_response_with_status(StatusCode::GATEWAY_TIMEOUT)
    })
}
