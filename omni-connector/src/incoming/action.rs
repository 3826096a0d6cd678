//! `/action`: one call of an action (`protocol.md` §2.6).

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::{Map, Value};

use super::{App, body::Body, panic};
use crate::{
    actions::{ActionCall, ActionResponse, Failed},
    contract::{Secrets, wire::ActionRequest},
};

pub(super) async fn call(State(app): State<App>, Body(request): Body<ActionRequest>) -> Response {
    let action = request.action.clone();
    let failed = Failed {
        secrets: Secrets::of(
            request.credentials.as_ref(),
            request
                .source
                .iter()
                .map(|source| &source.config)
                .chain([&request.params]),
        ),
        source: request
            .source
            .as_ref()
            .map(|source| (source.id.clone(), source.source_type)),
        provider: request
            .credentials
            .as_ref()
            .map(|credential| credential.provider.clone()),
    };
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
    let connector = Arc::clone(&app.connector);
    // A task of its own: a caller who gives up must not stop a write half-way.
    let task =
        tokio::spawn(
            async move { panic::catch(async { connector.call_action(call).await }).await },
        );
    match task.await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(error))) => {
            tracing::warn!(action, "the action failed: {}", failed.message(&error));
            failed.answer(&error)
        }
        Ok(Err(panic)) => {
            let what = failed.secrets.redact(&panic.to_string());
            tracing::error!(action, "the action panicked {what}");
            crashed(&action, &failed.secrets.redact(&panic.message))
        }
        Err(error) => crashed(&action, &error.to_string()),
    }
}

fn crashed(action: &str, message: &str) -> Response {
    ActionResponse::error(format!("action `{action}` panicked: {message}"))
        .into_response_with_status(StatusCode::INTERNAL_SERVER_ERROR)
}
