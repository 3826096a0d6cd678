//! The source's answer and its verdict.

use std::{borrow::Cow, fmt, sync::OnceLock};

use bytes::Bytes;
use reqwest::{
    StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{charset, link};
use crate::{excerpt::excerpt, schema::DecodeError};

/// A complete answer of the source: status, headers and body. `Debug` shows only status and length.
#[derive(Clone)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    url: Url,
    body: Bytes,
    json: OnceLock<Value>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Answer {
    pub(super) const fn new(status: StatusCode, headers: HeaderMap, url: Url, body: Bytes) -> Self {
        Self {
            status,
            headers,
            url,
            body,
            json: OnceLock::new(),
        }
    }

    /// Returns the status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns a header as a string; none if it is missing or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns all headers.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the URL of the next page, from `Link: <…>; rel="next"` (RFC 8288); none if no link has this relation.
    ///
    /// # Errors
    /// The header cannot be parsed, so it is unknown whether there is a next page.
    pub fn next_link(&self) -> Result<Option<String>, String> {
        link::next(&self.headers)
    }

    /// Returns the body, decompressed.
    pub const fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// Returns the body as a string, decoded by its byte order mark, from UTF-16 or Latin-1 if the source declares that, or from UTF-8.
    /// Bytes that do not fit are replaced.
    pub fn text(&self) -> String {
        self.decoded().into_owned()
    }

    /// Returns the body as JSON, `null` if it is not JSON.
    pub fn json(&self) -> &Value {
        self.json
            .get_or_init(|| serde_json::from_str(&self.decoded()).unwrap_or_default())
    }

    /// Returns the value at a JSON pointer of the body, such as `/meta/next`.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.json().pointer(pointer)
    }

    /// Returns the string at a JSON pointer of the body.
    pub fn text_at(&self, pointer: &str) -> Option<&str> {
        self.at(pointer)?.as_str()
    }

    /// Returns the body as text. One wrong byte in one item must not cost the whole page, so it is replaced.
    fn decoded(&self) -> Cow<'_, str> {
        charset::decode(&self.headers, &self.body)
    }

    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// Decodes the body as JSON. An empty body is `null`.
    pub(super) fn decode<T: DeserializeOwned>(&self) -> Result<T, String> {
        let is_empty = self.body.iter().all(u8::is_ascii_whitespace);
        let body = self.decoded();
        let body = if is_empty { "null" } else { &body };
        match serde_json::from_str(body) {
            Ok(value) => return Ok(value),
            Err(problem) if !problem.is_data() => return Err(self.not_json()),
            Err(_) if is_empty => {
                return Err("the body is empty, where JSON was promised".to_owned());
            }
            Err(_) => {}
        }
        // Once more, to find the place. Each answer would pay for keeping the path at hand.
        let mut reader = serde_json::Deserializer::from_str(body);
        match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Err(problem) => Err(DecodeError::in_text("answer", &problem).to_string()),
            Ok(_) => Err(self.not_json()),
        }
    }

    /// Describes a body that is not JSON.
    pub(super) fn not_json(&self) -> String {
        let start = self.body.trim_ascii_start();
        let is_html = self.media_type().contains("html") || start.starts_with(b"<");
        if is_html {
            return match title(&self.text()) {
                Some(title) => format!("it is a page of HTML titled `{title}`, not JSON"),
                None => "it is a page of HTML, not JSON".to_owned(),
            };
        }
        match serde_json::from_str::<serde::de::IgnoredAny>(&self.decoded()) {
            Err(error) if error.is_eof() => {
                format!("the JSON ends too early, after {} bytes", self.body.len())
            }
            Err(error) => format!(
                "it is not JSON at line {}, column {}",
                error.line(),
                error.column()
            ),
            Ok(_) => "it has another shape".to_owned(),
        }
    }

    pub(super) fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// Returns the source's explanation of a refusal: from the usual JSON fields, or the beginning of a short text.
    pub(super) fn explanation(&self) -> String {
        const FIELDS: [&str; 9] = [
            "/error/message",
            "/message",
            "/error_description",
            "/detail",
            "/errors/0/message",
            "/errors/0/detail",
            "/errorMessages/0",
            "/error",
            "/title",
        ];
        let found = FIELDS.iter().find_map(|pointer| self.text_at(pointer));
        let text = match found {
            Some(text) => text.to_owned(),
            None if self.media_type().starts_with("text/plain") => self.text(),
            None if self.media_type().contains("html") => title(&self.text()).unwrap_or_default(),
            None => String::new(),
        };
        short(&text)
    }
}

/// Returns the media type of an answer, in lower case and without parameters.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let value = value.unwrap_or_default();
    let end = value.find(';').unwrap_or(value.len());
    value[..end].trim().to_ascii_lowercase()
}

/// Returns the title of an HTML page, without secrets.
fn title(html: &str) -> Option<String> {
    let head = &html[..html.floor_char_boundary(64 << 10)];
    let lower = head.to_ascii_lowercase();
    let tag = lower.find("<title")?;
    let start = tag + lower[tag..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title = short(&head[start..end]);
    (!title.is_empty()).then_some(title)
}

/// Shortens a text to one line of at most 200 bytes, without secrets.
pub(super) fn short(text: &str) -> String {
    excerpt(text, 200).replace('`', "'")
}

/// The meaning of an answer. [`Api::refusals`](super::Api::refusals) can give one for each answer of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The answer has the requested result.
    Good,
    /// The source accepts no calls for now; the call is repeated later.
    Busy,
    /// The source has an internal problem; the call is repeated if that is safe.
    Unavailable,
    /// The source refused the credential; it is read again once.
    Unauthorized,
    /// The credential may not do this.
    Forbidden,
    /// The object does not exist.
    NotFound,
    /// The object no longer exists.
    Gone,
    /// The state of the object does not allow the call.
    Conflict,
    /// The source refuses the request, for the given reason.
    Refused(Refusal),
}

impl Verdict {
    /// Judges an answer by its status alone. This is the default without [`Api::refusals`](super::Api::refusals).
    pub fn by_status(answer: &Answer) -> Self {
        Self::of(answer.status).unwrap_or_else(|| {
            Self::Refused(Refusal {
                code: None,
                message: answer.explanation(),
            })
        })
    }

    /// Returns the verdict on a status; none for a refusal with a reason.
    pub(super) fn of(status: StatusCode) -> Option<Self> {
        Some(match status.as_u16() {
            200..=299 => Self::Good,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 | 412 => Self::Conflict,
            410 => Self::Gone,
            429 => Self::Busy,
            408 | 425 | 500 | 502..=504 | 520..=530 => Self::Unavailable,
            _ => return None,
        })
    }
}

/// The source's own reason for refusing a request.
#[must_use = "a refusal is part of a `Verdict`"]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    pub(super) code: Option<String>,
    pub(super) message: String,
}

impl Refusal {
    /// Creates a refusal with the source's code.
    pub fn new(code: impl Into<String>) -> Self {
        Self {
            code: Some(code.into()),
            message: String::new(),
        }
    }

    /// Adds the source's message.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }
}

impl From<&str> for Refusal {
    fn from(code: &str) -> Self {
        Self::new(code)
    }
}

impl From<String> for Refusal {
    fn from(code: String) -> Self {
        Self::new(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(content_type: &'static str, body: &'static str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        let url = Url::parse("https://acme.example/").unwrap();
        Answer::new(
            StatusCode::OK,
            headers,
            url,
            Bytes::from_static(body.as_bytes()),
        )
    }

    #[test]
    fn an_answer_that_is_not_json_is_described_without_secrets() {
        let page = "<!doctype html><TITLE lang=en> Sign in\n?token=s3cret </TITLE>";
        for (kind, body, why) in [
            (
                "text/html",
                page,
                "it is a page of HTML titled `Sign in ?token=[redacted]`, not JSON",
            ),
            (
                "application/json",
                " <p>no title",
                "it is a page of HTML, not JSON",
            ),
            (
                "application/json",
                "{\"a\": 1, ",
                "the JSON ends too early, after 9 bytes",
            ),
            (
                "application/json",
                "{\"a\": x}",
                "it is not JSON at line 1, column 7",
            ),
            (
                "application/json",
                "{} 8",
                "it is not JSON at line 1, column 4",
            ),
            (
                "application/json",
                " ",
                "the body is empty, where JSON was promised",
            ),
            (
                "application/json",
                "{\"a\": \"s3cret\"}",
                "invalid answer: `a` is of the wrong type, expected i32",
            ),
        ] {
            let decoded = answer(kind, body).decode::<std::collections::HashMap<String, i32>>();
            assert_eq!(decoded.unwrap_err(), why, "{body}");
        }
        assert_eq!(answer("", "").decode::<Option<i32>>(), Ok(None));
    }

    #[test]
    fn a_byte_that_is_not_utf8_costs_neither_its_item_nor_the_others() {
        let mut body = br#"["good","a?b"]"#.to_vec();
        body[10] = 0xff;
        let url = Url::parse("https://acme.example/").unwrap();
        let answer = Answer::new(StatusCode::OK, HeaderMap::new(), url, body.into());
        let decoded = answer.decode::<Vec<String>>().unwrap();
        assert_eq!(decoded, ["good", "a\u{fffd}b"]);
        assert_eq!(answer.at("/0").unwrap(), "good");
    }

    #[test]
    fn an_answer_with_a_byte_order_mark_or_in_latin_1_is_read() {
        let marked = answer("application/json", "\u{feff}[\"Größe\"]");
        assert_eq!(marked.decode::<Vec<String>>().unwrap(), ["Größe"]);
        let mut headers = HeaderMap::new();
        let kind = "application/json; charset=iso-8859-1";
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        let url = Url::parse("https://acme.example/").unwrap();
        let body = Bytes::from_static(b"[\"Gr\xf6\xdfe\"]");
        let latin = Answer::new(StatusCode::OK, headers, url, body);
        assert_eq!(latin.decode::<Vec<String>>().unwrap(), ["Größe"]);
        assert_eq!(latin.at("/0").unwrap(), "Größe");
        assert_eq!(latin.text(), "[\"Größe\"]");
    }
}
