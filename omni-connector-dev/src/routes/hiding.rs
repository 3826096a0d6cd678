//! Removes stored secrets from answers to people: the page and the commands. The protocol's own routes must never pass
//! through here, since a connector needs its credential.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use omni_connector::{hide_secrets, http::segment};

use crate::{
    shared::Shared,
    store::{StoreError, review},
};

/// Replaces a secret.
const HIDDEN: &str = "••••••";
/// The number of characters at the start or end of a secret that must not be shown.
const TELLING: usize = 12;

/// Removes stored secrets from the answers of the routes behind it.
pub(crate) async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    without_secrets(&shared, answer)
        .await
        .unwrap_or_else(|error| {
            let text = format!("the store does not answer: {error}");
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        })
}

/// Removes stored secrets from an answer. Without the list of secrets nothing may be shown.
pub(crate) async fn without_secrets(
    shared: &Shared,
    answer: Response,
) -> Result<Response, StoreError> {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind == "text/event-stream") {
        return Ok(answer);
    }
    let secrets = shared.store.read(review::secrets).await?;
    Ok(without(answer, &secrets).await)
}

async fn without(answer: Response, secrets: &[String]) -> Response {
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let Ok(text) = String::from_utf8(bytes.to_vec()) else {
        return (parts, Body::from(bytes)).into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts, Body::from(hidden(text, secrets))).into_response()
}

/// Removes secrets in every spelling, also those that were cut.
fn hidden(mut text: String, secrets: &[String]) -> String {
    if secrets.is_empty() {
        return text;
    }
    text = hide_secrets(&text, secrets.iter().map(String::as_str), HIDDEN);
    for secret in secrets {
        let quoted = serde_json::Value::from(secret.as_str()).to_string();
        let quoted = quoted[1..quoted.len() - 1].to_owned();
        // Links have it percent-encoded, as it is or as JSON.
        let forms = [escaped(secret), escaped(&quoted), segment(&quoted), quoted];
        for form in forms.iter().chain([secret]) {
            text = hide(text, form);
        }
    }
    text
}

/// Escapes a text as a page does.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Replaces a secret, and a long start or end of it, since texts may be cut before they are shown.
fn hide(text: String, secret: &str) -> String {
    let from_start = secret
        .char_indices()
        .nth(TELLING)
        .map_or(secret, |(end, _)| &secret[..end]);
    let from_end = secret
        .char_indices()
        .rev()
        .nth(TELLING - 1)
        .map_or(secret, |(start, _)| &secret[start..]);
    if !text.contains(from_start) && !text.contains(from_end) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(from_start) {
        let common = rest[at..]
            .char_indices()
            .zip(secret.chars())
            .take_while(|((_, a), b)| a == b);
        let end = common
            .last()
            .map_or(0, |((index, c), _)| index + c.len_utf8());
        shown.push_str(&rest[..at]);
        shown.push_str(HIDDEN);
        rest = &rest[at + end..];
    }
    shown.push_str(rest);
    shown.replace(from_end, HIDDEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_encoding_of_an_answer() {
        let secret = "p\"<&>\\word".to_owned();
        let json = serde_json::json!({ "a": secret }).to_string();
        let page = format!("{} {} {json} {secret}", escaped(&secret), escaped(&json));
        let text = hidden(page, &[secret]);
        assert!(!text.contains("word"), "{text}");
    }

    #[test]
    fn a_secret_that_was_cut_is_hidden_as_well() {
        let secret = "0123456789abcdefghij";
        let hidden = hide(
            format!("a {secret} b 0123456789abcdef… c …9abcdefghij 01234567 d"),
            secret,
        );
        assert_eq!(
            hidden,
            format!("a {HIDDEN} b {HIDDEN}… c …9abcdefghij 01234567 d")
        );
        assert_eq!(
            hide("…89abcdefghij".to_owned(), secret),
            format!("…{HIDDEN}")
        );
    }
}
