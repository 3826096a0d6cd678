//! Parses requests to a fake, and builds its answers.

use axum::{
    body::Body,
    http::{StatusCode, Uri, header},
    response::Response,
};
use serde_json::{Value, json};

use super::changes::NOT_UTF8;

/// Matches a path against a pattern such as `/issues/{key}`. Returns the parameter's value, empty for a pattern without
/// one; none if it does not match.
pub(super) fn matched(pattern: &str, path: &str) -> Option<String> {
    let Some((before, after)) = pattern.split_once('{') else {
        return (pattern == path).then(String::new);
    };
    let (_, after) = after.split_once('}')?;
    let value = path.strip_prefix(before)?.strip_suffix(after)?;
    let value = unescaped(value);
    (!value.is_empty() && !value.contains('/')).then_some(value)
}

pub(super) fn parameters(uri: &Uri) -> Vec<(String, String)> {
    let query = uri.query().unwrap_or_default();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(key, value)| (unescaped(key), unescaped(value)))
        .collect()
}

/// Decodes `%41+b`.
pub(super) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, escaped) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Sets the value at a JSON pointer, and creates missing objects.
pub(super) fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for key in pointer.split('/').skip(1) {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[key];
    }
    *at = value;
}

/// Returns JSON, with a byte that is not UTF-8 in place of [`NOT_UTF8`].
fn bytes(body: &Value) -> Vec<u8> {
    let text = body.to_string();
    let mut parts = text.split(NOT_UTF8);
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(0xff);
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

pub(super) fn answered(
    status: StatusCode,
    headers: &[(&'static str, String)],
    body: &Value,
) -> Response {
    let mut answer = Response::new(Body::from(bytes(body)));
    *answer.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            answer.headers_mut().insert(*name, value);
        }
    }
    answer
}
