//! Requests tokens from token endpoints and parses their answers leniently. Many providers send
//! numbers as strings, scopes as a list, or a refusal with status 200.

use std::time::Duration;

use omni_connector::HttpClient;
use reqwest::StatusCode;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::form_urlencoded;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A request to a token endpoint.
#[derive(Debug)]
pub(super) struct TokenRequest {
    pub(super) endpoint: String,
    pub(super) form: Vec<(&'static str, String)>,
    /// Client id and secret, for the header.
    pub(super) basic: Option<(String, String)>,
}

/// The tokens that an endpoint granted.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    pub(super) token_type: Option<String>,
    /// `None` when missing or invalid.
    pub(super) life: Option<Duration>,
    /// `None` when missing.
    pub(super) scopes: Option<Vec<String>>,
}

/// Why a token endpoint granted no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    /// The endpoint named an OAuth error.
    #[error("{error}{}{}", if description.is_empty() { "" } else { ": " }, description)]
    Refused {
        /// The status, which some providers set to 200.
        status: StatusCode,
        /// The name of the error.
        error: String,
        /// The description for people; may be empty.
        description: String,
    },
    /// The endpoint failed with this status.
    #[error("token endpoint returned HTTP {0}")]
    Status(StatusCode),
    /// The endpoint could not be reached, or its answer is invalid.
    #[error("{0}")]
    Failed(String),
}

impl TokenRequest {
    pub(super) async fn send(&self, http: &HttpClient) -> Result<Granted, TokenError> {
        let failed = |error: reqwest::Error| TokenError::Failed(error.to_string());
        let mut request = http
            .post(&self.endpoint)
            .timeout(TIMEOUT)
            .header("accept", "application/json")
            .form(&self.form);
        if let Some((id, secret)) = &self.basic {
            request = request.basic_auth(id, Some(secret));
        }
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let body = response.bytes().await.map_err(failed)?;
        read(status, &body)
    }
}

fn read(status: StatusCode, body: &[u8]) -> Result<Granted, TokenError> {
    // Some providers send a byte order mark, which JSON does not allow.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let answer = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(answer)) => Some(answer),
        Ok(_) => Some(Map::new()),
        Err(_) => form(body),
    };
    let answer = match answer {
        Some(answer) => answer,
        None if !status.is_success() => return Err(TokenError::Status(status)),
        None => {
            return Err(TokenError::Failed(
                "token endpoint response is neither JSON nor a form; check the URL of the endpoint"
                    .to_owned(),
            ));
        }
    };
    let granted = granted(&answer).filter(|_| status.is_success());
    let refused = match (named_refusal(&answer), granted) {
        (Some(refused), _) => Some(refused),
        (None, Some(granted)) => return Ok(granted),
        (None, None) => unnamed_refusal(&answer),
    };
    if let Some((error, description)) = refused {
        return Err(TokenError::Refused {
            status,
            error,
            description,
        });
    }
    if !status.is_success() {
        return Err(TokenError::Status(status));
    }
    Err(TokenError::Failed(
        "token endpoint response is missing access_token".to_owned(),
    ))
}

/// Reads the tokens of an answer. Some providers nest them, such as Slack those of a person, and some put only a part of
/// them deeper.
fn granted(answer: &Map<String, Value>) -> Option<Granted> {
    const ACCESS: [&str; 2] = ["access_token", "accessToken"];
    let objects = nested(answer);
    let place = objects.iter().position(|of| named(of, &ACCESS).is_some())?;
    // The object of the access token goes first, then those around it.
    let around: Vec<_> = objects[..=place].iter().rev().copied().collect();
    let text = |keys: &[&str]| around.iter().find_map(|of| named(of, keys));
    Some(Granted {
        access_token: text(&ACCESS)?,
        refresh_token: text(&["refresh_token", "refreshToken"]),
        token_type: text(&["token_type", "tokenType"]),
        life: around
            .iter()
            .find_map(|of| LIVES.iter().find_map(|key| life(of.get(*key)?))),
        scopes: around.iter().find_map(|of| {
            let listed = ["scope", "scopes"].iter().find_map(|key| of.get(*key));
            listed.and_then(scopes)
        }),
    })
}

/// Returns an answer and the objects in which providers nest tokens, to a depth of three.
fn nested(answer: &Map<String, Value>) -> Vec<&Map<String, Value>> {
    const INNER: [&str; 10] = [
        "authed_user",
        "data",
        "result",
        "token",
        "tokens",
        "response",
        "body",
        "payload",
        "credentials",
        "oauth",
    ];
    let mut objects = vec![answer];
    let mut outer = vec![answer];
    for _ in 0..3 {
        let inner: Vec<_> = outer
            .iter()
            .flat_map(|of| {
                INNER
                    .iter()
                    .filter_map(|key| first(of.get(*key)?).as_object())
            })
            .collect();
        objects.extend(&inner);
        outer = inner;
    }
    objects
}

/// Returns the first of these members that is a text.
fn named(of: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| {
        let text = of.get(*key)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    })
}

/// Parses an answer in form encoding, which some providers always send.
fn form(body: &[u8]) -> Option<Map<String, Value>> {
    let answer: Map<_, _> = form_urlencoded::parse(body)
        .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
        .collect();
    let is_one = ["access_token", "accessToken", "error"]
        .iter()
        .any(|key| answer.contains_key(*key));
    is_one.then_some(answer)
}

/// Returns the name and description of the error that an answer names. Some providers nest it, or list several.
fn named_refusal(answer: &Map<String, Value>) -> Option<(String, String)> {
    let (name, own) = match first(answer.get("error")?) {
        Value::Object(error) => {
            let names = ["type", "code", "status", "error"];
            let name = names.iter().find_map(|key| text(error.get(*key)?));
            let code = names.iter().find_map(|key| code(error.get(*key)?));
            let said = description(error);
            let name = name.or(code);
            // An empty object says that there is none.
            if name.is_none() && said.is_none() {
                return None;
            }
            (name.unwrap_or_else(unnamed), said)
        }
        error @ Value::Number(_) => (code(error)?, None),
        error => (text(error).filter(|name| !says_none(name))?, None),
    };
    let description = own.or_else(|| description(answer));
    Some((name, description.unwrap_or_default()))
}

/// Returns the description of an error that has no name.
fn unnamed_refusal(answer: &Map<String, Value>) -> Option<(String, String)> {
    let listed = ["errors", "fault"].iter().find_map(|key| answer.get(*key));
    let listed = listed.map(first);
    let listed = listed.and_then(|error| text(error).or_else(|| description(error.as_object()?)));
    Some((unnamed(), listed.or_else(|| description(answer))?))
}

/// Returns the number of an error. A zero says that there is none.
fn code(value: &Value) -> Option<String> {
    let code = value.as_number()?;
    (code.as_f64() != Some(0.0)).then(|| code.to_string())
}

/// Returns whether the name of an error says that there is none.
fn says_none(name: &str) -> bool {
    ["0", "false", "none", "null", "ok", "success"]
        .iter()
        .any(|none| name.eq_ignore_ascii_case(none))
}

fn unnamed() -> String {
    "error".to_owned()
}

/// Returns what an error says of itself: by OAuth, by habit, or as problem details (RFC 9457).
fn description(error: &Map<String, Value>) -> Option<String> {
    [
        "error_description",
        "errorDescription",
        "message",
        "error_message",
        "errorMessage",
        "error_msg",
        "errmsg",
        "msg",
        "detail",
        "faultstring",
        "error_reason",
        "reason",
        "title",
    ]
    .iter()
    .find_map(|key| match error.get(*key)? {
        Value::Array(parts) => {
            let parts: Vec<_> = parts.iter().filter_map(text).collect();
            (!parts.is_empty()).then(|| parts.join("; "))
        }
        Value::Object(inner) => ["value", "message", "text"]
            .iter()
            .find_map(|key| text(inner.get(*key)?)),
        one => text(one),
    })
}

/// Returns the first of a list, and everything else as it is.
fn first(value: &Value) -> &Value {
    value.get(0).unwrap_or(value)
}

/// Returns a text that is not blank.
fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The members that say how long a token lives, or until when.
const LIVES: [&str; 7] = [
    "expires_in",
    "expiresIn",
    "expires",
    "expires_at",
    "expiresAt",
    "expires_on",
    "expiry",
];
/// No token lives for thirty years: a larger number of seconds is a time since 1970.
const LONGEST_LIFE: f64 = 1e9;
/// A larger time since 1970 is in milliseconds.
const MILLISECONDS: f64 = 1e11;

/// Parses seconds from a number or a string, or a time until which a token lives. Returns `None` for values that are not
/// positive.
#[allow(
    clippy::cast_precision_loss,
    reason = "seconds since 1970 are exact in a double"
)]
fn life(value: &Value) -> Option<Duration> {
    let until = |end: f64| end - OffsetDateTime::now_utc().unix_timestamp() as f64;
    let number = match value {
        Value::String(text) => match text.trim().parse() {
            Ok(number) => number,
            Err(_) => {
                let end = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
                return positive(until(end.unix_timestamp() as f64));
            }
        },
        value => value.as_f64()?,
    };
    positive(if number > MILLISECONDS {
        until(number / 1_000.0)
    } else if number > LONGEST_LIFE {
        until(number)
    } else {
        number
    })
}

fn positive(seconds: f64) -> Option<Duration> {
    if seconds <= 0.0 {
        return None;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// Parses scopes from a list, or from a string separated by spaces or commas.
fn scopes(value: &Value) -> Option<Vec<String>> {
    let joined = match value {
        Value::String(joined) => joined.clone(),
        Value::Array(parts) => {
            let parts: Vec<_> = parts.iter().filter_map(Value::as_str).collect();
            parts.join(" ")
        }
        _ => return None,
    };
    let parts = joined
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|part| !part.is_empty());
    Some(parts.map(str::to_owned).collect())
}

/// Encodes a client's id or secret for the header (RFC 6749 §2.3.1).
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests;
