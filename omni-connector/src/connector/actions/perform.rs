//! One call of an action, whoever asks for it: the manager over HTTP, or a client of `my-connector mcp`.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::{ActionCall, ActionResponse, Failed};
use crate::{connector::ErasedConnector, panic, redact::Secrets};

/// Calls an action and answers in any case: an error has its status, and a panic is a 500.
pub(crate) async fn perform(
    connector: Arc<dyn ErasedConnector>,
    tasks: &TaskTracker,
    call: ActionCall,
) -> Response {
    let action = call.action.clone();
    let credential = call.credentials.as_ref();
    let configs = call.source.iter().map(|source| &source.config);
    let failed = Failed {
        secrets: Secrets::of(credential, configs.chain([&call.params])),
        source: call
            .source
            .as_ref()
            .map(|source| (source.id.clone(), source.source_type)),
        provider: credential.map(|credential| credential.provider.clone()),
    };
    // A task of its own: neither a caller who gives up nor the end of the process may stop a write half-way.
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
