//! Converts refusals to HTTP answers: `{"error": …}` with the statuses of `protocol.md` §3.1.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::rules::Refusal;

impl IntoResponse for Refusal {
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
