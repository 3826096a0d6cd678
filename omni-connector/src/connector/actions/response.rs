//! The JSON answer of an action (`protocol.md` §6.5).

use anyhow::Result;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;

/// `{"status":"success","result":…}` or `{"status":"error","error":"…"}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActionResponse {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl ActionResponse {
    /// Makes the answer of a successful action.
    pub fn success(result: Value) -> Self {
        Self {
            status: "success",
            result: Some(result),
            error: None,
        }
    }

    /// Serializes the answer of [`success`](Self::success) directly.
    ///
    /// # Errors
    /// The result cannot be serialized as JSON.
    pub(super) fn succeeded(result: &impl Serialize) -> Result<Response> {
        let mut body = br#"{"status":"success","result":"#.to_vec();
        serde_json::to_writer(&mut body, result)?;
        body.push(b'}');
        let json = HeaderValue::from_static("application/json");
        Ok(([(header::CONTENT_TYPE, json)], body).into_response())
    }

    /// Makes the answer of an action that was refused or failed.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            status: "error",
            result: None,
            error: Some(message.into()),
        }
    }

    /// Makes the answer to an unknown action.
    pub fn not_supported(action: &str) -> Self {
        Self::error(format!("Action not supported: {action}"))
    }

    /// Returns the response: 200 for success, 400 for an error.
    pub fn into_response(self) -> Response {
        let status = if self.error.is_none() {
            StatusCode::OK
        } else {
            StatusCode::BAD_REQUEST
        };
        self.into_response_with_status(status)
    }

    /// Returns the response with another status.
    pub fn into_response_with_status(self, status: StatusCode) -> Response {
        (status, Json(self)).into_response()
    }
}

impl IntoResponse for ActionResponse {
    fn into_response(self) -> Response {
        Self::into_response(self)
    }
}
