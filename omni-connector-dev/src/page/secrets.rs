//! Removes stored secrets from the answers of the page. It must never let one pass, in whatever encoding.

use axum::{
    body::{Body, to_bytes},
    http::header,
    response::{IntoResponse, Response},
};
use maud::html;

use super::{
    sessions,
    show::{encoded, steers},
};

/// Replaces a secret.
const HIDDEN: &str = "••••••";
/// The number of characters at the start or end of a secret that must not be shown.
const TELLING: usize = 12;

/// Removes secrets in every encoding from an answer, and marks that change the text direction from a page.
pub(super) async fn without_secrets(answer: Response, secrets: &[String]) -> Response {
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return sessions::refusal("The answer could not be made.");
    };
    let Ok(mut text) = String::from_utf8(bytes.to_vec()) else {
        return (parts, Body::from(bytes)).into_response();
    };
    for secret in secrets {
        let escaped = html! { (secret) }.into_string();
        let quoted = serde_json::Value::from(secret.as_str()).to_string();
        let quoted = quoted[1..quoted.len() - 1].to_owned();
        let both = html! { (quoted) }.into_string();
        for form in [secret.clone(), escaped, quoted, both, encoded(secret)] {
            text = hide(text, &form);
        }
    }
    let kind = parts.headers.get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) && text.contains(steers) {
        text = text.replace(steers, "\u{fffd}");
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts, Body::from(text)).into_response()
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

    #[tokio::test]
    async fn a_secret_is_hidden_in_every_encoding_of_an_answer() {
        let secret = "p\"<&>\\word".to_owned();
        let json = serde_json::json!({ "a": secret }).to_string();
        let page = html! { (secret) " " (json) }.into_string() + &json + &secret;
        let answer = without_secrets(page.into_response(), &[secret]).await;
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
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
