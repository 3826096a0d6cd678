//! One call to the manager: its route, its body, and the meaning of a failed attempt.

use std::{sync::LazyLock, time::Duration};

use axum::http::StatusCode;
use bytes::Bytes;
use memchr::memmem::Finder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;

use super::{ManagerError, retry::Repeat};
use crate::{excerpt::excerpt, wire::ErrorBody};

/// Characters that a path segment may contain unencoded (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One call: its route and its retry policy.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    /// Timeout of one attempt; none means that of an ordinary call.
    pub(super) timeout: Option<Duration>,
    pub(super) repeat: Repeat,
}

impl Call {
    fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            timeout: None,
            repeat: Repeat::Always,
        }
    }

    pub(super) fn get(path: String) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path.into())
    }

    pub(super) fn put(path: String) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(super) fn repeat(self, repeat: Repeat) -> Self {
        Self { repeat, ..self }
    }

    pub(super) fn timeout(self, timeout: Duration) -> Self {
        Self {
            timeout: Some(timeout),
            ..self
        }
    }

    fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Call {
    /// Returns the route without ids, which keeps the number of metric labels small.
    pub(super) fn template(&self) -> &'static str {
        let segments: Vec<_> = self.path.split('/').skip(2).collect();
        match segments[..] {
            ["register"] => "register",
            ["events", ..] => "events",
            ["content"] => "content",
            ["extract-content"] => "extract-content",
            ["extract-text"] => "extract-text",
            ["sync", "create"] => "sync/create",
            ["sync", "cancel"] => "sync/cancel",
            ["sync", _, "heartbeat"] => "sync/{id}/heartbeat",
            ["sync", _, "scanned"] => "sync/{id}/scanned",
            ["sync", _, "updated"] => "sync/{id}/updated",
            ["sync", _, "checkpoint"] => "sync/{id}/checkpoint",
            ["sync", _, "complete"] => "sync/{id}/complete",
            ["sync", _, "fail"] => "sync/{id}/fail",
            ["webhook", "notify"] => "webhook/notify",
            ["source", _] => "source/{id}",
            ["source", _, "user-email"] => "source/{id}/user-email",
            ["source", _, "connector-state"] => "source/{id}/connector-state",
            ["sources", ..] => "sources/by-type/{type}",
            ["credentials", _] => "credentials/{id}",
            ["connector-configs", _] => "connector-configs/{provider}",
            _ => "other",
        }
    }
}

/// A failed attempt and whether it can be retried.
pub(super) struct Failed {
    pub(super) error: ManagerError,
    pub(super) may_repeat: bool,
    pub(super) asked_for: Option<Duration>,
}

impl Failed {
    /// Reports an unreadable answer. A body that is not JSON is not from the manager; JSON of another shape would not change.
    pub(super) fn unreadable(call: &Call, error: &serde_json::Error) -> Self {
        Self {
            error: ManagerError::Unreadable {
                route: call.route(),
                cause: error.to_string(),
            },
            may_repeat: !error.is_data() && call.repeat.after_noise(),
            asked_for: None,
        }
    }
}

/// Encodes one path segment. `.` and `..` would change the path even when encoded, so they are encoded twice. The result is
/// an id that does not exist instead of another route.
pub(super) fn segment(text: &str) -> String {
    match text {
        "." => "%252E".to_owned(),
        ".." => "%252E%252E".to_owned(),
        _ => utf8_percent_encode(text, SEGMENT).to_string(),
    }
}

/// Encodes a value as JSON. Accepts only types that always serialize: the protocol's own types and plain JSON.
pub(super) fn encode(value: &impl Serialize) -> Vec<u8> {
    // Writing to memory cannot fail.
    without_nul(serde_json::to_vec(value).unwrap_or_default())
}

/// Removes every U+0000 from JSON: the manager answers it with 500 every time (`protocol.md` §3.1).
fn without_nul(json: Vec<u8>) -> Vec<u8> {
    const NUL: &[u8] = br"\u0000";
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(NUL));
    let mut kept = Vec::new();
    let mut copied = 0;
    for start in FINDER.find_iter(&json) {
        // After an odd number of backslashes this one is itself escaped: `\\u0000` is plain characters.
        let before = json[..start].iter().rev();
        if before.take_while(|&&byte| byte == b'\\').count() % 2 == 0 {
            kept.extend_from_slice(&json[copied..start]);
            copied = start + NUL.len();
        }
    }
    if copied == 0 {
        return json;
    }
    kept.extend_from_slice(&json[copied..]);
    kept
}

pub(super) fn with_body(request: RequestBuilder, body: Option<&Bytes>) -> RequestBuilder {
    match body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(body.clone()),
        None => request,
    }
}

pub(super) fn unreachable(call: &Call, error: &reqwest::Error) -> ManagerError {
    // reqwest puts the reason (`connection refused`) in the error chain and the URL in the message.
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    ManagerError::Unreachable {
        route: call.route(),
        cause: cause.to_string(),
    }
}

pub(super) fn refused(call: &Call, status: StatusCode, body: &[u8]) -> ManagerError {
    let message = match serde_json::from_slice::<ErrorBody>(body) {
        Ok(body) => body.error,
        Err(_) => excerpt(&String::from_utf8_lossy(body), 500),
    };
    // Only the two event routes report that a run is over, and only in the message (protocol.md §3.4).
    let over = message.contains("running sync run") || message.contains("Unknown sync run");
    if status == StatusCode::BAD_REQUEST && call.path.starts_with("/sdk/events") && over {
        return ManagerError::RunOver { message };
    }
    ManagerError::Refused {
        route: call.route(),
        status,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_nul_leaves_the_process() {
        for (text, expected) in [
            ("a\0b\0", "ab"),
            ("\0", ""),
            (r"\u0000", r"\u0000"),
            ("\\\0x", "\\x"),
            ("plain", "plain"),
        ] {
            let sent: String = serde_json::from_slice(&encode(&text)).unwrap();
            assert_eq!(sent, expected, "{text:?}");
        }
    }

    #[test]
    fn ids_cannot_leave_their_path_segment() {
        assert_eq!(segment("../a b/é"), "..%2Fa%20b%2F%C3%A9");
        for id in [".", "..", "...", "a/..", "%2e%2e", "?", "#", "\\"] {
            let url = format!("http://manager/sdk/source/{}/state", segment(id));
            let url = reqwest::Url::parse(&url).unwrap();
            assert_eq!(url.path_segments().unwrap().count(), 4, "{url}");
            assert!(url.path().starts_with("/sdk/source/"), "{url}");
        }
    }
}
