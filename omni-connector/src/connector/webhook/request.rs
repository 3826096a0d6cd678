//! The request of a webhook, and the verification of its signature.

use std::{
    collections::HashMap,
    fmt::{self, Write},
};

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use ring::hmac;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Track;

use crate::{connector::ActionError, schema::DecodeError, wire::SecretString};

/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// The request of a webhook, as it arrived. `Debug` shows neither headers nor body, which contain secrets.
#[derive(Clone)]
pub struct WebhookRequest {
    pub(crate) route: &'static str,
    pub(crate) method: Method,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl WebhookRequest {
    /// Makes a request of the webhook at `route`, for a unit test of its function. `headers` are pairs of names and
    /// values.
    ///
    /// # Panics
    /// A header is invalid.
    pub fn new(route: &'static str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Self {
        let header = |&(name, value): &(&str, &str)| {
            let name = name.parse::<axum::http::HeaderName>();
            (
                name.expect("a header's name"),
                value.parse().expect("a header's value"),
            )
        };
        Self {
            route,
            method: Method::POST,
            parameters: Vec::new(),
            query: None,
            headers: headers.iter().map(header).collect(),
            body: body.into(),
        }
    }

    /// Returns the path that the webhook declares, with its `{parameters}`.
    pub const fn route(&self) -> &'static str {
        self.route
    }

    /// Returns the method: `POST`, or `GET` when a system verifies that the path is ours.
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the value in the path for `{name}`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the query, undecoded. `url::form_urlencoded` parses it.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Returns all headers.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns a header. Returns `None` when it is missing or not a string.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the unchanged body, over which signatures are computed.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Decodes the body.
    ///
    /// # Errors
    /// The body is not JSON: 400 with its content type. It has another shape: 400 with the path of the field. Read a
    /// form with [`form`](Self::form).
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ActionError> {
        let refuse =
            |problem: &str| ActionError::bad_request(format!("invalid webhook call: {problem}"));
        // Some systems send a byte order mark, which JSON does not allow.
        let body = self
            .body
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&self.body);
        if body.trim_ascii().is_empty() {
            return Err(refuse("its body is empty"));
        }
        decode_json(body).map_err(|error| match error.inner().classify() {
            Category::Data => DecodeError::in_text("webhook call", &error).into(),
            _ if self.coding().is_some() => refuse(&format!(
                "it is compressed with `{}`\nhelp: turn that off where the webhook is set up, or read the call from `body`",
                self.coding().unwrap_or_default()
            )),
            _ if self.is_form() => refuse(
                "it is a form, not JSON\nhelp: choose `application/json` where the webhook is set up, or read the form with `form`",
            ),
            _ => match self.media_type() {
                Some(kind) if !kind.to_ascii_lowercase().ends_with("json") => refuse(&format!(
                    "it is `{kind}`, not JSON\nhelp: choose `application/json` where the webhook is set up, or read the call from `body`"
                )),
                _ => {
                    let (line, column) = (error.inner().line(), error.inner().column());
                    refuse(&format!("not JSON at line {line} column {column}"))
                }
            },
        })
    }

    /// Decodes a form. GitHub, by default, sends the whole call in the field `payload`.
    ///
    /// # Errors
    /// The body is not a form: 400 with its content type.
    pub fn form(&self) -> Result<HashMap<String, String>, ActionError> {
        if !self.is_form() {
            let kind = self
                .media_type()
                .map_or_else(|| "missing".to_owned(), |kind| format!("`{kind}`"));
            return Err(ActionError::bad_request(format!(
                "invalid webhook call: its content type is {kind}, not `{FORM}`\nhelp: choose `{FORM}` where the webhook is set up, or read JSON with `json`"
            )));
        }
        Ok(url::form_urlencoded::parse(&self.body)
            .into_owned()
            .collect())
    }

    fn is_form(&self) -> bool {
        self.media_type()
            .is_some_and(|kind| kind.eq_ignore_ascii_case(FORM))
    }

    /// Returns the coding of a body that is compressed, unless it breaks the rules of names.
    fn coding(&self) -> Option<&str> {
        let coding = self.header("content-encoding")?.trim();
        let is_name = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
        let is_valid = (1..=20).contains(&coding.len()) && coding.bytes().all(is_name);
        (is_valid && !coding.eq_ignore_ascii_case("identity")).then_some(coding)
    }

    /// Returns the content type without its parameters, unless it is missing or breaks the rules of names (RFC 6838 §4.2).
    fn media_type(&self) -> Option<&str> {
        let kind = self.header("content-type")?.split(';').next()?.trim();
        let is_name = |c: u8| c.is_ascii_alphanumeric() || b"/!#$&-^_.+".contains(&c);
        let is_valid = (1..=127).contains(&kind.len()) && kind.bytes().all(is_name);
        is_valid.then_some(kind)
    }

    /// Verifies that the header contains the HMAC-SHA256 of the body under `secret`: see [`verify_hmac_sha256`].
    ///
    /// # Errors
    /// The signature is wrong or missing: 401.
    pub fn verify_hmac_sha256(
        &self,
        secret: &SecretString,
        header: &str,
    ) -> Result<(), ActionError> {
        let signature = self.header(header).ok_or_else(|| {
            ActionError::unauthorized(format!("the header `{header}` is missing"))
        })?;
        verify_hmac_sha256(secret, signature, &self.body)
    }
}

fn decode_json<T: DeserializeOwned>(
    body: &[u8],
) -> Result<T, serde_path_to_error::Error<serde_json::Error>> {
    let mut text = serde_json::Deserializer::from_slice(body);
    let decoded = serde_path_to_error::deserialize(&mut text)?;
    // What comes behind the value belongs to it as well.
    match text.end() {
        Ok(()) => Ok(decoded),
        Err(error) => Err(serde_path_to_error::Error::new(Track::new().path(), error)),
    }
}

impl fmt::Debug for WebhookRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRequest")
            .field("route", &self.route)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// Returns the HMAC-SHA256 of `message` under `secret` in hexadecimal, as [`verify_hmac_sha256`] expects it. For tests of a
/// webhook, and for systems that are called with a signature.
pub fn sign_hmac_sha256(secret: &SecretString, message: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let tag = hmac::sign(&key, message);
    tag.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Verifies that `signature` is the HMAC-SHA256 of `message` under `secret`. It is hexadecimal, with or without
/// `sha256=` before it. The comparison takes constant time. An empty secret is refused.
///
/// For systems that sign more than the body, such as a time before it. For others use
/// [`WebhookRequest::verify_hmac_sha256`].
///
/// # Errors
/// The signature is wrong: 401.
pub fn verify_hmac_sha256(
    secret: &SecretString,
    signature: &str,
    message: &[u8],
) -> Result<(), ActionError> {
    let signature = signature.trim();
    let digits = signature.strip_prefix("sha256=").unwrap_or(signature);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let is_right = !secret.expose().is_empty()
        && from_hex(digits).is_some_and(|tag| hmac::verify(&key, message, &tag).is_ok());
    if is_right {
        Ok(())
    } else {
        Err(ActionError::unauthorized("the signature is wrong"))
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |&[high, low]: &[u8; 2]| u8::try_from(digit(high)? << 4 | digit(low)?).ok();
    rest.is_empty()
        .then(|| pairs.iter().map(byte).collect())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example from GitHub's documentation.
    const SIGNATURE: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn verify(secret: &str, signature: &str, message: &[u8]) -> bool {
        verify_hmac_sha256(&secret.to_owned().into(), signature, message).is_ok()
    }

    #[test]
    fn a_signature_is_read_with_and_without_its_scheme() {
        let secret = "It's a Secret to Everybody";
        for signature in [
            SIGNATURE.to_owned(),
            format!("sha256={SIGNATURE}"),
            format!(" sha256={} ", SIGNATURE.to_uppercase()),
        ] {
            assert!(verify(secret, &signature, b"Hello, World!"), "{signature}");
        }
        let made = sign_hmac_sha256(&secret.to_owned().into(), b"Hello, World!");
        assert_eq!(made, SIGNATURE);
    }

    #[test]
    fn anything_else_is_not_a_valid_signature() {
        let secret = "It's a Secret to Everybody";
        let short = &SIGNATURE[..62];
        let wrong = SIGNATURE.replace("757", "758");
        for signature in [
            "",
            "sha256=",
            short,
            &wrong,
            &SIGNATURE[1..],
            "sha1=00",
            "+f",
            "é",
        ] {
            assert!(!verify(secret, signature, b"Hello, World!"), "{signature}");
        }
        assert!(!verify(secret, SIGNATURE, b"Hello, World"));
        assert!(!verify("It's another", SIGNATURE, b"Hello, World!"));
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"");
        let tag = hmac::sign(&key, b"x");
        let digits = tag
            .as_ref()
            .iter()
            .fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
        assert!(!verify("", &digits, b"x"), "an empty secret proves nothing");
    }

    #[test]
    fn debug_output_of_a_call_shows_no_content() {
        let call = WebhookRequest::new("/hooks", &[("x-token", "s3cret")], "s3cret");
        assert!(!format!("{call:?}").contains("s3cret"));
    }

    #[test]
    fn a_body_that_is_not_json_says_what_it_is() {
        let form = (
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        );
        let refused = |headers: &[(&str, &str)], body: &'static str| {
            let call = WebhookRequest::new("/hooks", headers, body);
            call.json::<serde_json::Value>().unwrap_err().to_string()
        };
        let github = "payload=%7B%22zen%22%3A%22a+b%22%7D&x=1";
        assert!(refused(&[form], github).contains("it is a form, not JSON"));
        assert!(refused(&[], "").contains("its body is empty"));
        assert!(refused(&[form], " \n").contains("its body is empty"));
        assert!(refused(&[], "{\n x").contains("not JSON at line 2 column 2"));
        for kind in [
            "application/json",
            "Application/VND.api+JSON; charset=utf-8",
            "<>",
        ] {
            let said = refused(&[("content-type", kind)], "{\n x");
            assert!(said.contains("not JSON at line 2 column 2"), "{said}");
        }
        for (kind, body) in [
            ("multipart/form-data; boundary=x", "--x\r\n"),
            ("application/xml", "<a/>"),
            ("text/plain", "hello"),
        ] {
            let said = refused(&[("content-type", kind)], body);
            let named = kind.split(';').next().unwrap();
            assert!(
                said.contains(&format!("it is `{named}`, not JSON\nhelp: ")),
                "{said}"
            );
        }
        for (body, place) in [
            ("{\"a\":1} more", "line 1 column 9"),
            ("{}\n{}", "line 2 column 1"),
        ] {
            let said = refused(&[], body);
            assert!(said.contains(&format!("not JSON at {place}")), "{said}");
        }
        let packed = ("content-encoding", "gzip");
        assert!(refused(&[packed], "\u{1f}x").contains("it is compressed with `gzip`\nhelp: "));
        let json = |headers: &[(&str, &str)], body: &'static str| {
            let call = WebhookRequest::new("/hooks", headers, body);
            call.json::<serde_json::Value>().unwrap()
        };
        assert_eq!(json(&[], "\u{feff}{\"a\":1}")["a"], 1);
        // `curl -d` sends JSON with the content type of a form.
        assert_eq!(json(&[form], "{\"a\":1}")["a"], 1);
        let call = WebhookRequest::new("/hooks", &[form], github);
        assert_eq!(call.form().unwrap()["payload"], "{\"zen\":\"a b\"}");
        for (headers, named) in [
            (&[][..], "its content type is missing"),
            (
                &[("content-type", "text/xml")],
                "its content type is `text/xml`",
            ),
        ] {
            let call = WebhookRequest::new("/hooks", headers, github);
            let said = call.form().unwrap_err().to_string();
            assert!(said.contains(named), "{said}");
        }
    }
}
