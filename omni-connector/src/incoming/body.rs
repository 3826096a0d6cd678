//! Reading request bodies: tolerant of content types, exact about what is wrong.

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::json;

/// A JSON body. The manager ignores content types, and so does this side.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = BodyError;

    async fn from_request(request: Request, state: &S) -> Result<Self, BodyError> {
        let bytes = Bytes::from_request(request, state).await?;
        let mut decoder = serde_json::Deserializer::from_slice(&bytes);
        let value =
            serde_path_to_error::deserialize(&mut decoder).map_err(|error| describe(&error))?;
        Ok(Self(value))
    }
}

/// A body that was refused, with the status and what is wrong.
#[derive(Debug)]
pub(super) struct BodyError(StatusCode, String);

impl From<BytesRejection> for BodyError {
    fn from(rejection: BytesRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        // Both members: `/sync` answers with `message`, every other route with `error`.
        let body = json!({ "status": "error", "message": self.1, "error": self.1 });
        (self.0, Json(body)).into_response()
    }
}

/// The path of the field, and not the value: a body may hold secrets.
fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> BodyError {
    let (path, cause) = (error.path().to_string(), error.inner());
    let place = format!("line {} column {}", cause.line(), cause.column());
    let message = match cause.classify() {
        serde_json::error::Category::Data => {
            crate::contract::DecodeError::of("request", None, error).to_string()
        }
        _ if path == "." => format!("invalid request: not JSON at {place}"),
        _ => format!("invalid request: not JSON at `{path}`, {place}"),
    };
    BodyError(StatusCode::BAD_REQUEST, message)
}
