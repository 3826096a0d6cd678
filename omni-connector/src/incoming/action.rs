//! `/action`: one call of an action (`protocol.md` §2.6).

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{extract::State, http::StatusCode, response::Response};
use futures_util::FutureExt;
use serde_json::{Map, Value};

use super::{App, body::Body, sync::panic_message};
use crate::{
    actions::{ActionCall, ActionResponse, Failed},
    bridges::Bridge,
    contract::{ErasedConnector, Secrets, wire::ActionRequest},
};

pub(super) async fn call(State(app): State<App>, Body(request): Body<ActionRequest>) -> Response {
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
    perform(app.connector, app.bridge, call).await
}

/// Calls an action of the connector, or a tool of the MCP server behind it, and answers in any case.
pub(crate) async fn perform(
    connector: Arc<dyn ErasedConnector>,
    bridge: Option<Arc<Bridge>>,
    call: ActionCall,
) -> Response {
    let action = call.action.clone();
    let credential = call.credentials.as_ref();
    let secret = credential.map_or(&Value::Null, |credential| &credential.credentials);
    let failed = Failed {
        secrets: Secrets::of(secret),
        source: call
            .source
            .as_ref()
            .map(|source| (source.id.clone(), source.source_type)),
        provider: credential.map(|credential| credential.provider.clone()),
    };
    // A task of its own: a caller who gives up must not stop a write half-way.
    let task = tokio::spawn(async move {
        let called = async {
            match &bridge {
                Some(bridge) if bridge.has_tool(&call).await => bridge.call_tool(call).await,
                _ => connector.call_action(call).await,
            }
        };
        AssertUnwindSafe(called).catch_unwind().await
    });
    match task.await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(error))) => {
            tracing::warn!(action, "the action failed: {}", failed.message(&error));
            failed.answer(&error)
        }
        Ok(Err(panic)) => crashed(&action, &failed.secrets.redact(&panic_message(&*panic))),
        Err(error) => crashed(&action, &failed.secrets.redact(&error.to_string())),
    }
}

fn crashed(action: &str, message: &str) -> Response {
    tracing::error!(action, "the action panicked: {message}");
    ActionResponse::error(format!("action `{action}` panicked: {message}"))
        .into_response_with_status(StatusCode::INTERNAL_SERVER_ERROR)
}
