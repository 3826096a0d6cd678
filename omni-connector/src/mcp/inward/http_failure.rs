//! How a request to an MCP server at a URL fails, in the server's words.

use std::{error::Error as StdError, fmt, time::Duration};

use reqwest::{Response, StatusCode};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use serde_json::Value;

use super::lenient;
use crate::{excerpt::excerpt, manager::retry_after};

/// How much of a refusal is read, and how much of it is quoted.
pub(super) const LONGEST_REFUSAL: usize = 64 << 10;
const QUOTED: usize = 300;

/// A failed request: the server refused it or cannot be reached.
#[derive(Debug)]
pub(super) struct HttpFailure {
    /// The status of a refusal. `None` if no answer arrived.
    pub(super) status: Option<StatusCode>,
    pub(super) retry_after: Option<Duration>,
    pub(super) message: String,
}

impl fmt::Display for HttpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for HttpFailure {}

impl From<reqwest::Error> for HttpFailure {
    fn from(error: reqwest::Error) -> Self {
        Self {
            status: None,
            retry_after: None,
            message: format!("{:#}", anyhow::Error::from(error)),
        }
    }
}

pub(super) type Failure = StreamableHttpError<HttpFailure>;

/// Reads the body of an answer. Returns `None` if it is longer than `longest`.
pub(super) async fn read(
    mut response: Response,
    longest: usize,
) -> Result<Option<Vec<u8>>, Failure> {
    let is_refusal = !response.status().is_success();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > longest {
            return Ok(is_refusal.then_some(body));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

pub(super) fn failed(error: reqwest::Error) -> Failure {
    Failure::Client(error.into())
}

pub(super) async fn refusal(response: Response) -> Failure {
    let head = failure(&response, "");
    let body = read(response, LONGEST_REFUSAL).await.ok().flatten();
    refusal_of(head, &body.unwrap_or_default())
}

/// Adds what the body says to a refusal.
pub(super) fn refusal_of(head: HttpFailure, body: &[u8]) -> Failure {
    Failure::Client(HttpFailure {
        message: format!("{head}{}", said(body)),
        ..head
    })
}

pub(super) fn failure(response: &Response, said: &str) -> HttpFailure {
    HttpFailure {
        status: Some(response.status()),
        retry_after: retry_after(response.headers()),
        message: format!("it answered {}{said}", response.status()),
    }
}

/// Returns a refusal's message after a colon; nothing for an HTML page.
pub(super) fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let reason = lenient::read(body).and_then(|body| {
        let places = [
            "/error/message",
            "/error_description",
            "/message",
            "/detail",
            "/error",
        ];
        let said = places
            .iter()
            .find_map(|place| body.pointer(place)?.as_str())?;
        Some(said.to_owned())
    });
    match reason {
        Some(reason) => format!(": {}", excerpt(&reason, QUOTED)),
        None if text.is_empty() || text.starts_with(['<', '{', '[']) => String::new(),
        None => format!(": {}", excerpt(text, QUOTED)),
    }
}

/// Returns whether a refusal is an MCP message.
pub(super) fn says_why(body: &[u8]) -> bool {
    lenient::read(body).is_some_and(|body| body["error"].is_object() && body["jsonrpc"] == "2.0")
}

/// Returns whether an answer says that the session is not known, so that the call did not run. Servers say so with many
/// statuses, also with that of a success.
pub(super) fn is_of_session(status: StatusCode, body: &[u8]) -> bool {
    if status.is_success() && body.len() > LONGEST_UNKNOWN {
        return false;
    }
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    let names_session = text.contains("session");
    let says_lost = || LOST.iter().any(|word| text.contains(word));
    let error = || lenient::read(body).filter(|body| body["error"].is_object());
    if status.is_client_error() {
        // An error of 400 that names no call is about the session, whatever it says.
        let names_no_call =
            || error().is_some_and(|body| body.get("id").is_none_or(Value::is_null));
        return names_session || (status == StatusCode::BAD_REQUEST && names_no_call());
    }
    if status.is_server_error() {
        return names_session && says_lost();
    }
    // Such a text may also be the answer of a tool that has sessions of its own, so the code must fit as well.
    error().is_some_and(|body| {
        let message = body["error"]["message"].as_str().unwrap_or_default();
        let message = message.to_ascii_lowercase();
        UNBEGUN.iter().any(|words| message.contains(words))
            || (body["error"]["code"] == UNKNOWN_SESSION && names_session && says_lost())
    })
}

/// The longest answer with the status of a success that is examined.
const LONGEST_UNKNOWN: usize = 4 << 10;
/// The code with which the official libraries say that a session is not known.
const UNKNOWN_SESSION: i32 = -32001;
/// Words for a session that a server does not know any more.
const LOST: [&str; 10] = [
    "not found",
    "unknown",
    "expired",
    "invalid",
    "no valid",
    "no such",
    "not exist",
    "missing",
    "terminated",
    "not recognized",
];
/// Words of a server that waits for the first request of a session.
const UNBEGUN: [&str; 3] = [
    "server not initialized",
    "server is not initialized",
    "before initialization",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_session_is_told_from_every_other_refusal() {
        for (status, body, expected) in [
            (
                400,
                r#"{"error":{"code":-32000,"message":"Bad Request"},"id":null}"#,
                true,
            ),
            (400, "No valid session ID provided", true),
            (
                400,
                r#"{"error":{"code":-32602,"message":"no such page"},"id":4}"#,
                false,
            ),
            (400, "", false),
            (401, "Unauthorized: Session not found", true),
            (401, r#"{"error":"invalid_token"}"#, false),
            (403, r#"{"message":"Invalid session"}"#, true),
            (
                403,
                r#"{"error":{"message":"not for you"},"id":null}"#,
                false,
            ),
            (409, r#"{"detail":"session expired"}"#, true),
            (422, "Mcp-Session-Id is unknown", true),
            (
                500,
                r#"{"error":{"code":-32603,"message":"Session not found"},"id":4}"#,
                true,
            ),
            (500, "the session cookie was written", false),
            (502, "<html>Bad gateway</html>", false),
            (
                200,
                r#"{"error":{"code":-32001,"message":"Session not found"},"id":4}"#,
                true,
            ),
            (
                200,
                r#"{"error":{"code":-32602,"message":"Session not found"},"id":4}"#,
                false,
            ),
            (
                200,
                r#"{"error":{"code":-32002,"message":"Server not initialized"},"id":4}"#,
                true,
            ),
            (
                200,
                r#"{"error":{"code":0,"message":"Received request before initialization was complete"},"id":4}"#,
                true,
            ),
            (
                200,
                r#"{"result":{"content":[{"type":"text","text":"Session not found"}]},"id":4}"#,
                false,
            ),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(
                is_of_session(status, body.as_bytes()),
                expected,
                "{status} {body}"
            );
        }
    }
}
