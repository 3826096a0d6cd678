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
    Failure::Client(HttpFailure {
        message: format!("{head}{}", said(&body.unwrap_or_default())),
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

/// Returns whether a refusal concerns the session, not one call: its `id` is null or missing, or it mentions the session.
pub(super) fn names_no_call(body: &[u8]) -> bool {
    let speaks_of_session = String::from_utf8_lossy(body)
        .to_ascii_lowercase()
        .contains("session");
    speaks_of_session
        || lenient::read(body).is_some_and(|body| {
            body["error"].is_object() && body.get("id").is_none_or(Value::is_null)
        })
}
