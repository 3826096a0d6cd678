//! Reads request bodies. Accepts any content type and reports errors precisely.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use memchr::memchr3_iter;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::App;
use crate::body::{BodyError, read_body};

/// A JSON body. Ignores the content type, as the manager does.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refused> {
        let bytes = read(request, app.max_body_bytes).await?;
        if holds_too_much(&bytes) {
            return Err(Refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("invalid request: more than {MOST_VALUES} values in one body"),
            ));
        }
        if let Ok(value) = serde_json::from_slice(&bytes) {
            return Ok(Self(value));
        }
        // Decode again with path tracking, which a valid body need not pay for.
        let mut decoder = serde_json::Deserializer::from_slice(&bytes);
        serde_path_to_error::deserialize(&mut decoder)
            .map(Self)
            .map_err(|error| describe(&error))
    }
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(request: Request, limit: usize) -> Result<Vec<u8>, Refused> {
    read_body(request, limit).await.map_err(|error| {
        let status = match error {
            BodyError::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::BrokenOff(_) => StatusCode::BAD_REQUEST,
        };
        Refused::new(status, format!("invalid request: {error}"))
    })
}

/// The most values in one body: decoded, `[[],[],…` takes some sixty times its size.
const MOST_VALUES: usize = 2 << 20;

/// Returns whether a body has more than [`MOST_VALUES`] values. Counts the three characters that precede one.
fn holds_too_much(json: &[u8]) -> bool {
    if json.len() <= MOST_VALUES {
        return false;
    }
    let [comma, list, object] = [b',', b'[', b'{'];
    if memchr3_iter(comma, list, object, json)
        .nth(MOST_VALUES)
        .is_none()
    {
        return false;
    }
    let (mut count, mut in_text, mut bytes) = (0, false, json.iter());
    while let Some(&byte) = bytes.next() {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => drop(bytes.next()),
            _ if in_text => {}
            b',' | b'[' | b'{' => count += 1,
            _ => {}
        }
    }
    count > MOST_VALUES
}

/// A refused body: the status and the error.
#[derive(Debug)]
pub(super) struct Refused(StatusCode, String);

impl Refused {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self(status, message.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        // Both keys: `/sync` answers with `message`, every other route with `error`.
        let body = json!({ "status": "error", "message": self.1, "error": self.1 });
        (self.0, Json(body)).into_response()
    }
}

/// Describes an error by the field's path and never its value: a body may contain secrets.
fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> Refused {
    let (path, cause) = (error.path().to_string(), error.inner());
    let place = format!("line {} column {}", cause.line(), cause.column());
    let message = match cause.classify() {
        serde_json::error::Category::Data => {
            crate::schema::DecodeError::in_text("request", error).to_string()
        }
        _ if path == "." => format!("invalid request: not JSON at {place}"),
        _ => format!("invalid request: not JSON at `{path}`, {place}"),
    };
    Refused(StatusCode::BAD_REQUEST, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_texts_are_not() {
        let list = |item: &str, times: usize| format!("[{}0]", item.repeat(times));
        for (json, expected) in [
            (list("0,", MOST_VALUES), true),
            (list("[],", MOST_VALUES / 2 + 1), true),
            (list("0,", MOST_VALUES - 1), false),
            (format!(r#"["\"{}",0]"#, ",[".repeat(MOST_VALUES)), false),
            (format!(r#"["\\",{}0]"#, "0,".repeat(MOST_VALUES)), true),
        ] {
            assert_eq!(holds_too_much(json.as_bytes()), expected, "{json:.20}");
        }
    }
}
