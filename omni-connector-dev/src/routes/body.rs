//! Parses JSON bodies and path parameters exactly as strictly as the real manager (`protocol.md`
//! §3.1).

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Request, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use omni_connector::{BodyError, read_body};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::App;
use crate::rules::{NUL_IN_TEXT, Refusal};

/// A JSON body. Errors are `text/plain`. Ignores everything after the first JSON value.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        if !is_json(request.headers()) {
            return Err((
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Expected request with `Content-Type: application/json`",
            )
                .into_response());
        }
        let decoded = read(request, app.shared.options.max_body_bytes)
            .await
            .and_then(|bytes| decode(&bytes));
        decoded.map(Self).map_err(IntoResponse::into_response)
    }
}

/// Reads a body of at most `limit` bytes.
async fn read(request: Request, limit: usize) -> Result<Vec<u8>, (StatusCode, String)> {
    read_body(request, limit)
        .await
        .map_err(|error| match error {
            BodyError::BrokenOff(error) => {
                let reason = format!("Failed to buffer the request body: {error}");
                (StatusCode::BAD_REQUEST, reason)
            }
            _ => {
                let reason = format!("The body is longer than {limit} bytes");
                (StatusCode::PAYLOAD_TOO_LARGE, reason)
            }
        })
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, (StatusCode, String)> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        match error.inner().classify() {
            Category::Data => (
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("Failed to deserialize the JSON body into the target type: {error}"),
            ),
            Category::Syntax | Category::Eof | Category::Io => (
                StatusCode::BAD_REQUEST,
                format!("Failed to parse the request body as JSON: {error}"),
            ),
        }
    })
}

/// Matches `application/json` and `application/*+json`, ignoring case and parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(content_type)) = headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.to_str())
    else {
        return false;
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let Some((main, subtype)) = essence.split_once('/') else {
        return false;
    };
    let subtype = subtype.to_ascii_lowercase();
    main.eq_ignore_ascii_case("application") && (subtype == "json" || subtype.ends_with("+json"))
}

/// The path's only parameter, an id or a name.
#[derive(Debug)]
pub(crate) struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(PathRejection::into_response)?;
        if id.contains('\0') {
            let text = format!("Database error: Connection error: {NUL_IN_TEXT}");
            return Err(Refusal::Internal(text).into_response());
        }
        Ok(Self(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_recognised_by_its_essence() {
        let is = |content_type: &str| {
            let headers = [(header::CONTENT_TYPE, content_type.parse().unwrap())];
            is_json(&headers.into_iter().collect())
        };
        assert!(is("application/json; charset=latin1"));
        assert!(is("APPLICATION/JSON"));
        assert!(is("application/problem+json"));
        assert!(!is("application/jsonx"));
        assert!(!is("text/json"));
        assert!(!is(""));
    }
}
