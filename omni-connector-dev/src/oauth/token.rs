//! Requests tokens from token endpoints and parses their answers leniently. Many providers send
//! numbers as strings, scopes as a list, or a refusal with status 200.

use std::time::Duration;

use omni_connector::HttpClient;
use reqwest::StatusCode;
use serde_json::{Map, Value};
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
    if let Some((error, description)) = refusal(&answer) {
        return Err(TokenError::Refused {
            status,
            error,
            description,
        });
    }
    if !status.is_success() {
        return Err(TokenError::Status(status));
    }
    let token = |key: &str| {
        let token = answer.get(key)?.as_str()?;
        (!token.is_empty()).then(|| token.to_owned())
    };
    Ok(Granted {
        access_token: token("access_token").ok_or_else(|| {
            TokenError::Failed("token endpoint response is missing access_token".to_owned())
        })?,
        refresh_token: token("refresh_token"),
        token_type: token("token_type"),
        life: answer.get("expires_in").and_then(life),
        scopes: answer.get("scope").and_then(scopes),
    })
}

/// Parses an answer in form encoding, which some providers always send.
fn form(body: &[u8]) -> Option<Map<String, Value>> {
    let answer: Map<_, _> = form_urlencoded::parse(body)
        .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
        .collect();
    let is_one = ["access_token", "error"]
        .iter()
        .any(|key| answer.contains_key(*key));
    is_one.then_some(answer)
}

/// Returns the name and description of the error if the answer is one. Some providers nest it, or list several.
fn refusal(answer: &Map<String, Value>) -> Option<(String, String)> {
    let unnamed = || "error".to_owned();
    let named = match answer.get("error").map(first) {
        Some(Value::Object(error)) => {
            let mut names = ["type", "code", "status", "error"].iter();
            let name = names.find_map(|key| text(error.get(*key)?));
            let description = description(error).or_else(|| description(answer));
            Some((name.unwrap_or_else(unnamed), description))
        }
        Some(Value::Number(code)) => Some((code.to_string(), description(answer))),
        error => error.and_then(text).map(|name| (name, description(answer))),
    };
    if let Some((name, description)) = named {
        return Some((name, description.unwrap_or_default()));
    }
    if answer.contains_key("access_token") {
        return None;
    }
    // Some name no error, and describe it all the same.
    let listed = answer.get("errors").map(first);
    let listed = listed.and_then(|error| text(error).or_else(|| description(error.as_object()?)));
    Some((unnamed(), listed.or_else(|| description(answer))?))
}

/// Returns what an error says of itself: by OAuth, by habit, or as problem details (RFC 9457).
fn description(error: &Map<String, Value>) -> Option<String> {
    ["error_description", "message", "detail", "title"]
        .iter()
        .find_map(|key| text(error.get(*key)?))
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

/// Parses seconds from a number or a string. Returns `None` for values that are not positive.
fn life(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.trim().parse().ok()?,
        value => value.as_f64()?,
    };
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
mod tests {
    use serde_json::json;

    use super::*;

    fn granted(answer: Value) -> Granted {
        read(StatusCode::OK, answer.to_string().as_bytes()).unwrap()
    }

    fn refused(status: u16, body: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        read(status, body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_life_is_read_from_a_number_or_a_string() {
        for (written, seconds) in [
            (json!(3600), Some(3600)),
            (json!("3600"), Some(3600)),
            (json!(3600.0), Some(3600)),
            (json!(" 60.5 "), Some(60)),
            (json!(0), None),
            (json!(-5), None),
            (json!(null), None),
            (json!("soon"), None),
            (json!("NaN"), None),
            (json!(1e300), None),
        ] {
            let grant = granted(json!({ "access_token": "at", "expires_in": written }));
            assert_eq!(grant.life.map(|life| life.as_secs()), seconds, "{written}");
        }
    }

    #[test]
    fn scopes_are_read_as_list_or_text() {
        let of = |scope: Value| granted(json!({ "access_token": "at", "scope": scope })).scopes;
        let both = Some(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(of(json!("a b")), both);
        assert_eq!(of(json!("a,b")), both);
        assert_eq!(of(json!("a\nb")), both);
        assert_eq!(of(json!("a, b")), both);
        assert_eq!(of(json!(["a", "b"])), both);
        assert_eq!(of(json!(null)), None);
        assert!(
            granted(json!({ "access_token": "at" }))
                .token_type
                .is_none()
        );
    }

    #[test]
    fn a_refusal_keeps_the_providers_message_for_every_status() {
        let github = r#"{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired."}"#;
        let said = "bad_verification_code: The code passed is incorrect or expired.";
        assert_eq!(refused(200, github), said);
        assert_eq!(refused(400, github), said);
        assert_eq!(
            refused(200, "error=bad_verification_code&error_description=Old"),
            "bad_verification_code: Old"
        );
        assert_eq!(
            refused(200, r#"{"ok":false,"error":"invalid_code"}"#),
            "invalid_code"
        );
        let nested = r#"{"error":{"type":"OAuthException","code":100,"message":"Invalid code"}}"#;
        assert_eq!(refused(400, nested), "OAuthException: Invalid code");
        for (body, said) in [
            (r#"{"error":401,"message":"Old code"}"#, "401: Old code"),
            (r#"{"errors":[{"message":"Old code"}]}"#, "error: Old code"),
            (r#"{"errors":["Old code"]}"#, "error: Old code"),
            (r#"{"errors":[{"detail":"Old code"}]}"#, "error: Old code"),
            (r#"{"error":["old"],"message":"Old code"}"#, "old: Old code"),
            (
                r#"{"error":[{"code":"old","detail":"Old code"}]}"#,
                "old: Old code",
            ),
            (
                r#"{"title":"Refused","status":400,"detail":"Old code"}"#,
                "error: Old code",
            ),
            (
                r#"{"type":"about:blank","title":"Old code"}"#,
                "error: Old code",
            ),
            (
                r#"{"success":false,"message":"Old code"}"#,
                "error: Old code",
            ),
            ("error=401&message=Old+code", "401: Old code"),
            ("\u{feff}{\"error\":\"old\"}", "old"),
            (
                r#"{"error":null,"error_description":"Old code"}"#,
                "error: Old code",
            ),
        ] {
            assert_eq!(refused(200, body), said);
            assert_eq!(refused(400, body), said);
        }
        let kept = granted(json!({ "access_token": "at", "error": null, "message": "welcome" }));
        assert_eq!(kept.access_token, "at");
        assert_eq!(
            refused(500, "<html>broken</html>"),
            "token endpoint returned HTTP 500 Internal Server Error"
        );
        assert_eq!(
            refused(200, "<html>sign in</html>"),
            "token endpoint response is neither JSON nor a form; check the URL of the endpoint"
        );
        assert_eq!(
            refused(200, "{}"),
            "token endpoint response is missing access_token"
        );
    }

    #[test]
    fn a_form_grants_as_json_does() {
        let grant = read(StatusCode::OK, b"access_token=at&scope=a%2Cb&expires_in=60").unwrap();
        assert_eq!(
            (grant.access_token.as_str(), grant.life),
            ("at", Some(Duration::from_mins(1)))
        );
    }
}
