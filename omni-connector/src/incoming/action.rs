//! `/action`: one call of an action (`protocol.md` §2.6).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Map, Value};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, field};

use super::{App, body::Body, panic};
use crate::{
    actions::{ActionCall, ActionResponse, Failed},
    bridges::Bridge,
    contract::{ErasedConnector, Secrets, wire::ActionRequest},
};

/// Longer ids and names are not taken over into the log.
const LONGEST_ID: usize = 128;

pub(super) async fn call(
    State(app): State<App>,
    headers: HeaderMap,
    Body(request): Body<ActionRequest>,
) -> Response {
    let source = request.source.as_ref().map(|source| short(&source.id));
    // At the highest level, so that a filter for lines keeps what the lines are about.
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

/// As much of a text from outside as every line about the call may carry.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_ID)]
}

/// What the caller calls this call, or a name of ours.
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
    perform(app.connector, app.bridge, app.runs.tasks(), call).await
}

/// Calls an action of the connector, or a tool of the MCP server behind it, and answers in any case.
pub(crate) async fn perform(
    connector: Arc<dyn ErasedConnector>,
    bridge: Option<Arc<Bridge>>,
    tasks: &TaskTracker,
    call: ActionCall,
) -> Response {
    let action = call.action.clone();
    let credential = call.credentials.as_ref();
    let configs = call.source.iter().map(|source| &source.config);
    let failed = Failed {
        secrets: Secrets::of(
            credential.map(|of| &of.credentials),
            configs.chain([&call.params]),
        ),
        source: call
            .source
            .as_ref()
            .map(|source| (source.id.clone(), source.source_type)),
        provider: credential.map(|credential| credential.provider.clone()),
    };
    // A task of its own: neither a caller who gives up nor the end of the process may stop a write half-way.
    let work = async move {
        let called = async {
            match &bridge {
                Some(bridge) if bridge.has_tool(&call).await => bridge.call_tool(call).await,
                _ => connector.call_action(call).await,
            }
        };
        panic::catch(Box::pin(called)).await
    };
    let task = tasks.spawn(work.in_current_span());
    match task.await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(error))) => {
            tracing::warn!("the action failed: {}", failed.message(&error));
            failed.answer(&error)
        }
        Ok(Err(panic)) => {
            let what = failed.secrets.redact(&panic.to_string());
            tracing::error!("the action panicked {what}");
            crashed(&action, &failed.secrets.redact(&panic.message))
        }
        Err(error) => crashed(&action, &error.to_string()),
    }
}

fn crashed(action: &str, message: &str) -> Response {
    ActionResponse::error(format!("action `{action}` panicked: {message}"))
        .into_response_with_status(StatusCode::INTERNAL_SERVER_ERROR)
}
