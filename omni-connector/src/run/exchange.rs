//! A request with its answer, and the form of a tape: a head line, then one line for each of them. All of it is JSON.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

/// The most bytes kept of a body that is neither JSON nor a form.
const KEPT: usize = 256 << 10;

/// The first line of a tape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeHead {
    /// The version of the form.
    pub tape: u32,
    /// The version of the kit that recorded it.
    pub kit: String,
    /// The connector.
    pub connector: String,
    /// The day of the recording, such as `2026-11-28`.
    pub recorded: String,
    /// How many secrets have a stand-in.
    pub secrets: usize,
    /// The numbers of those that the source gave. A replayed request has the same stand-in; all others replace a secret of
    /// the connector, which has any value then.
    pub given: BTreeSet<usize>,
    /// The headers whose values were left out.
    pub left_out: BTreeSet<String>,
    /// Whether addresses, names and texts are made up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made_up: bool,
}

impl TapeHead {
    /// The current version of the form.
    pub const VERSION: u32 = 1;

    /// Writes a tape of these exchanges, in their order.
    ///
    /// # Errors
    /// Returns an error if an exchange cannot be written as JSON.
    pub fn tape(connector: &str, exchanges: &[Exchange]) -> serde_json::Result<String> {
        let mut given = BTreeSet::new();
        let mut known = BTreeSet::new();
        let mut lines = Vec::with_capacity(exchanges.len());
        for exchange in exchanges {
            known.extend(stand_ins(&serde_json::to_string(&exchange.asked)?));
            let answered = stand_ins(&serde_json::to_string(&exchange.answered)?);
            // A secret that no request had before is one that the source gave.
            given.extend(answered.difference(&known).copied());
            known.extend(answered);
            lines.push(serde_json::to_string(exchange)?);
        }
        let head = Self {
            tape: Self::VERSION,
            kit: env!("CARGO_PKG_VERSION").to_owned(),
            connector: connector.to_owned(),
            recorded: OffsetDateTime::now_utc().date().to_string(),
            secrets: known.len(),
            given,
            left_out: BTreeSet::new(),
            made_up: false,
        };
        lines.insert(0, serde_json::to_string(&head)?);
        Ok(lines.join("\n") + "\n")
    }
}

/// Returns the numbers of the stand-ins in a text.
fn stand_ins(text: &str) -> BTreeSet<usize> {
    let parts = text.split(Exchange::STAND_IN).skip(1);
    let digits = |part: &str| {
        let end = part.find(|c: char| !c.is_ascii_digit());
        part[..end.unwrap_or(part.len())].parse().ok()
    };
    parts.filter_map(digits).collect()
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The operation of the call.
    pub operation: String,
    /// The request.
    pub asked: Asked,
    /// The answer.
    pub answered: Answered,
}

impl Exchange {
    /// How the stand-in of a secret begins; its number follows.
    pub const STAND_IN: &str = crate::redact::STAND_IN;
}

/// A recorded request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The URL of the API.
    pub at: String,
    /// The path below it.
    pub path: String,
    /// The parameters, sorted.
    pub query: Vec<(String, String)>,
    /// The headers that change the meaning of the request, such as `range`.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Recorded,
}

impl Asked {
    /// The header with which a replayed request names the API that it was meant for.
    pub const AT: &str = "omni-tape-at";
    /// The headers that change the meaning of a request.
    pub const HEADERS: [&str; 5] = [
        "depth",
        "if-modified-since",
        "if-none-match",
        "range",
        "soapaction",
    ];
}

/// A recorded answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The headers that connectors read, such as `link`.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Recorded,
}

/// A recorded body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// There is none.
    Empty,
    /// JSON.
    Json(Value),
    /// Form fields, sorted.
    Form(Vec<(String, String)>),
    /// Any other text.
    Text(String),
    /// Any other bytes.
    Bytes {
        /// The first 256 KB.
        base64: String,
        /// How many there were.
        length: usize,
        /// The SHA-256 of all of them.
        sha256: String,
    },
    /// A form whose parts are streams. It is not recorded.
    Streamed,
}

impl Recorded {
    /// Reads a body, which is JSON or a form if its bytes are.
    pub fn of(bytes: &[u8], is_form: bool) -> Self {
        let text = std::str::from_utf8(bytes).ok();
        match text {
            _ if bytes.is_empty() => Self::Empty,
            Some(_) if is_form => {
                let fields = url::form_urlencoded::parse(bytes).into_owned();
                let mut fields: Vec<_> = fields.collect();
                fields.sort();
                Self::Form(fields)
            }
            Some(text) => match serde_json::from_str(text) {
                Ok(value @ (Value::Object(_) | Value::Array(_))) => Self::Json(value),
                _ if bytes.len() <= KEPT => Self::Text(text.to_owned()),
                _ => Self::cut(bytes),
            },
            None => Self::cut(bytes),
        }
    }

    fn cut(bytes: &[u8]) -> Self {
        let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
        let hash = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
        Self::Bytes {
            base64: STANDARD.encode(&bytes[..bytes.len().min(KEPT)]),
            length: bytes.len(),
            sha256: hash.collect(),
        }
    }

    /// Returns the bytes of an answer's body.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Empty | Self::Streamed => Vec::new(),
            Self::Json(value) => value.to_string().into_bytes(),
            Self::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(fields).finish().into_bytes()
            }
            Self::Text(text) => text.clone().into_bytes(),
            Self::Bytes { base64, .. } => STANDARD.decode(base64).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exchange(asked: Value, answered: Value) -> Exchange {
        let empty = BTreeMap::<String, String>::new();
        let asked = json!({
            "method": "GET", "at": "https://a.example", "path": "/x", "query": [], "headers": empty, "body": { "json": asked },
        });
        let answered = json!({ "status": 200, "headers": empty, "body": { "json": answered } });
        let one = json!({ "operation": "GET x", "asked": asked, "answered": answered });
        serde_json::from_value(one).unwrap()
    }

    #[test]
    fn a_secret_that_an_answer_had_first_was_given_by_the_source() {
        let exchanges = [
            exchange(
                json!({ "a": "tape_secret_7" }),
                json!({ "b": ["tape_secret_7", "tape_secret_12"] }),
            ),
            exchange(json!({ "a": "tape_secret_12" }), json!({})),
        ];
        let tape = TapeHead::tape("acme", &exchanges).unwrap();
        let mut lines = tape.lines();
        let head: TapeHead = serde_json::from_str(lines.next().unwrap()).unwrap();
        assert_eq!((head.secrets, head.given), (2, BTreeSet::from([12])));
        let read: Vec<Exchange> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(read, exchanges);
    }
}
