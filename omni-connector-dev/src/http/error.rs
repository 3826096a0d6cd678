//! Errors of the manager's routes: `{"error": …}` with the statuses of `protocol.md` §3.1.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{credentials::CredentialError, store::StoreError};

/// What a database of the real manager says of U+0000 in a text.
pub(crate) const NUL_IN_TEXT: &str =
    "error returned from database: invalid byte sequence for encoding \"UTF8\": 0x00";
/// What it says of U+0000 in JSON.
pub(crate) const NUL_IN_JSON: &str =
    "error returned from database: unsupported Unicode escape sequence";

/// A refusal.
#[derive(Debug)]
pub(crate) enum ApiError {
    BadRequest(String),
    NotFound(String),
    Conflict(String),
    /// 412 with a body of its own.
    PreconditionFailed(Value),
    TooLarge(String),
    /// 429; seconds after which to come back.
    Busy(u32),
    Internal(String),
}

impl ApiError {
    pub(crate) fn source_not_found(id: &str) -> Self {
        Self::NotFound(format!("Source not found: {id}"))
    }

    pub(crate) fn credentials_not_found(source_id: &str) -> Self {
        Self::NotFound(format!("Credentials not found for source: {source_id}"))
    }

    pub(crate) fn connector_not_registered(source_type: &str) -> Self {
        Self::NotFound(format!(
            "Connector not registered for type: {source_type:?}"
        ))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Internal(format!("Database error: {error}"))
    }
}

impl From<CredentialError> for ApiError {
    fn from(error: CredentialError) -> Self {
        Self::Internal(format!("Database error: {error}"))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, body) = match self {
            Self::BadRequest(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
            Self::NotFound(error) => (StatusCode::NOT_FOUND, json!({ "error": error })),
            Self::Conflict(error) => (StatusCode::CONFLICT, json!({ "error": error })),
            Self::PreconditionFailed(body) => (StatusCode::PRECONDITION_FAILED, body),
            Self::TooLarge(error) => (StatusCode::PAYLOAD_TOO_LARGE, json!({ "error": error })),
            Self::Busy(seconds) => {
                return (
                    StatusCode::TOO_MANY_REQUESTS,
                    [(header::RETRY_AFTER, seconds.to_string())],
                    Json(json!({ "error": "Document extraction is busy. Try again later." })),
                )
                    .into_response();
            }
            Self::Internal(error) => {
                tracing::error!(%error, "a request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": error }))
            }
        };
        (status, Json(body)).into_response()
    }
}
