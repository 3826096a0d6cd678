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
    let answer = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(answer)) => answer,
        _ if !status.is_success() => return Err(TokenError::Status(status)),
        Ok(_) => Map::new(),
        Err(error) => form(body).ok_or_else(|| TokenError::Failed(error.to_string()))?,
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
    let text = |key: &str| {
        let text = answer.get(key)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    Ok(Granted {
        access_token: text("access_token").ok_or_else(|| {
            TokenError::Failed("token endpoint response is missing access_token".to_owned())
        })?,
        refresh_token: text("refresh_token"),
        token_type: text("token_type"),
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

/// Returns the name and description of the error if the answer is one. Some providers nest it.
fn refusal(answer: &Map<String, Value>) -> Option<(String, String)> {
    let text = |value: Option<&Value>| {
        let text = value?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let of_answer =
        || text(answer.get("error_description")).or_else(|| text(answer.get("message")));
    let number = |value: &Value| value.as_i64().map(|code| code.to_string());
    match answer.get("error") {
        Some(Value::Object(error)) => {
            let mut names = ["type", "code", "status", "error"].iter();
            let name = names.find_map(|key| text(error.get(*key)));
            let description = text(error.get("message")).or_else(of_answer);
            Some((
                name.unwrap_or_else(|| "error".to_owned()),
                description.unwrap_or_default(),
            ))
        }
        Some(error) if text(Some(error)).or_else(|| number(error)).is_some() => {
            let name = text(Some(error)).or_else(|| number(error))?;
            Some((name, of_answer().unwrap_or_default()))
        }
        _ if answer.contains_key("access_token") => None,
        // Some name no error, and describe it all the same.
        _ => {
            let first = answer.get("errors").and_then(|errors| errors.get(0));
            let of_first =
                first.and_then(|first| text(Some(first)).or_else(|| text(first.get("message"))));
            let description = of_first.or_else(of_answer)?;
            Some(("error".to_owned(), description))
        }
    }
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
            (
                r#"{"success":false,"message":"Old code"}"#,
                "error: Old code",
            ),
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
