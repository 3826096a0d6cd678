//! `POST /action` (`protocol.md` §6): what the connector answers is relayed as it came, but for who may read it.

use axum::{
    body::Body,
    extract::State,
    http::header::ACCESS_CONTROL_ALLOW_ORIGIN,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    routes::body::JsonBody,
    rules::{self, ActionAnswer, ActionCall, ActionError, Refusal},
    shared::Shared,
};

pub(super) async fn call(
    State(shared): State<Shared>,
    JsonBody(call): JsonBody<ActionCall>,
) -> Result<Response, Refusal> {
    let ActionAnswer {
        status,
        mut headers,
        body,
    } = rules::call(&shared, call).await?;
    // Who may read an answer is the manager's to say.
    headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
    Ok((status, headers, Body::from(body)).into_response())
}

impl From<ActionError> for Refusal {
    fn from(error: ActionError) -> Self {
        let text = error.to_string();
        match error {
            ActionError::SourceNotFound(_)
            | ActionError::NotRegistered(_)
            | ActionError::NoCredentials(_)
            | ActionError::UserNotFound(_) => Self::NotFound(text),
            ActionError::NoSourceId
            | ActionError::SourceTypeWithoutTransient
            | ActionError::Unknown(..)
            | ActionError::OtherType(..)
            | ActionError::ReadOnly(_)
            | ActionError::AdminOnly(_)
            | ActionError::NoSourceType
            | ActionError::SourceWithTransient
            | ActionError::TransientWrite(_)
            | ActionError::NoUserId => Self::BadRequest(text),
            ActionError::NotNative(_)
            | ActionError::Connector(_)
            | ActionError::Credential(_)
            | ActionError::Store(_) => Self::Internal(text),
            ActionError::NeedsUserAuth {
                source_id,
                source_type,
                provider,
            } => {
                let start = format!("/api/oauth/start?source_id={source_id}");
                Self::PreconditionFailed(json!({
                    "error": text,
                    "source_id": source_id,
                    "source_type": source_type,
                    "provider": provider,
                    "oauth_start_url": start,
                }))
            }
        }
    }
}
