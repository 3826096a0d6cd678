//! Executes one call of an action, from the manager over HTTP or from a client of `my-connector mcp`.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::{ActionCall, ActionResponse, Failed};
use crate::{connector::ErasedConnector, panic, redact::Secrets};

/// Calls an action and always answers: an error has its status, and a panic is a 500.
pub(crate) async fn perform(
    connector: Arc<dyn ErasedConnector>,
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
    // The action runs in its own task: a caller that disconnects, or the end of the process, must not stop a write
    // half-way.
    let work = async move {
        let called = async { connector.call_action(call).await };
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
