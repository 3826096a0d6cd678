//! A row of the suite as stored in the data: request, expected answer, and expected effects.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

/// One promise of the protocol.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Its section in `protocol.md`.
    pub(crate) section: String,
    pub(crate) name: String,
    /// The process under test; `None` for the default one.
    #[serde(default)]
    pub(crate) of: Option<String>,
    /// A separate source that the scripted manager serves as `$SOURCE`, given by the fields that
    /// differ from the default.
    #[serde(default)]
    pub(crate) source: Option<Map<String, Value>>,
    /// The secret of that source's credential; null for no credential.
    #[serde(default, deserialize_with = "present")]
    pub(crate) secret: Option<Value>,
    /// Fields that differ from the scripted connector's default manifest.
    #[serde(default)]
    pub(crate) register: Option<Map<String, Value>>,
    /// The mode of a run that is created as `$RUN`.
    #[serde(default)]
    pub(crate) run: Option<String>,
    /// Creates a separate source as `$SOURCE_SCHEDULED` once the connector has registered. The
    /// value is the seconds between its scheduled runs, null for none. Works with this repository's
    /// manager only.
    #[serde(default, deserialize_with = "present")]
    pub(crate) schedules: Option<Value>,
    /// Whether that source is disabled after `before`.
    #[serde(default)]
    pub(crate) disables: bool,
    /// Whether the request counts as activity of `$RUN`. Works with this repository's manager only.
    #[serde(default)]
    pub(crate) touches: Option<bool>,
    /// A route to which an endless upload is in progress meanwhile.
    #[serde(default)]
    pub(crate) held: Option<String>,
    /// Requests sent first.
    #[serde(default)]
    pub(crate) before: Vec<Step>,
    /// The peer's answers that replace its default ones, by call. Each is used once.
    #[serde(default)]
    pub(crate) answers: BTreeMap<String, Vec<Reply>>,
    /// The request under test.
    pub(crate) ask: Step,
    /// Calls that the peer must receive in this order; others may come between.
    #[serde(default)]
    pub(crate) called: Vec<Called>,
    /// Calls that the peer must not receive, before or during `after`.
    #[serde(default)]
    pub(crate) not_called: Vec<String>,
    /// Calls that the peer must receive exactly once, up to the end of `after`.
    #[serde(default)]
    pub(crate) once: Vec<String>,
    /// Expected final state. Each request is repeated until it holds, within a limit for busy
    /// machines.
    #[serde(default)]
    pub(crate) after: Vec<Step>,
}

/// A request and its expected answer. Fields that are not given are not checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// `POST /sdk/events`
    pub(crate) call: String,
    /// A JSON body, sent as `application/json`.
    #[serde(default, deserialize_with = "present")]
    pub(crate) json: Option<Value>,
    /// A raw body, sent as `application/json` unless a type is given.
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(rename = "type", default)]
    pub(crate) content_type: Option<String>,
    /// Request headers.
    #[serde(default)]
    pub(crate) send: BTreeMap<String, String>,
    /// The scripted connector's manifest with these fields replaced; `<absent>` removes one.
    #[serde(default)]
    pub(crate) manifest: Option<Map<String, Value>>,
    /// The parts of a form; `data` is sent as a file.
    #[serde(default)]
    pub(crate) form: Option<Vec<(String, String)>>,
    /// Allowed statuses; default is 200.
    #[serde(default)]
    pub(crate) status: Statuses,
    /// The expected body: see [`crate::shape`].
    #[serde(default, deserialize_with = "present")]
    pub(crate) body: Option<Value>,
    /// Expected headers, by names in lower case.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Value>,
    /// Names under which values of the answer are saved, by JSON pointer.
    #[serde(default)]
    pub(crate) save: BTreeMap<String, String>,
}

/// The allowed statuses.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Statuses {
    One(u16),
    Any(Vec<u16>),
}

/// An expected call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Called {
    pub(crate) call: String,
    #[serde(default, deserialize_with = "present")]
    pub(crate) body: Option<Value>,
}

/// An answer of the peer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reply {
    #[serde(default)]
    pub(crate) status: Option<u16>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) json: Option<Value>,
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Closes the connection without an answer.
    #[serde(default)]
    pub(crate) close: bool,
    /// Delay of the answer; the caller may have left by then.
    #[serde(default)]
    pub(crate) late_ms: u64,
    /// A call that the peer makes before it answers. `$RUN` is the run in the request.
    #[serde(default)]
    pub(crate) first: Option<Box<Step>>,
}

impl Default for Statuses {
    fn default() -> Self {
        Self::One(200)
    }
}

impl Statuses {
    pub(crate) fn admit(&self, status: u16) -> bool {
        match self {
            Self::One(one) => *one == status,
            Self::Any(any) => any.contains(&status),
        }
    }
}

/// Deserializes a null field as present.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Parses the rows of one file.
pub(crate) fn read(name: &str, text: &str) -> Result<Vec<Row>> {
    serde_json::from_str(text).with_context(|| format!("the rows of `{name}`"))
}

/// Names and their values: `$SOURCE` in a row is replaced by the value of `SOURCE`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Replaces every `$NAME` in `text`.
    ///
    /// # Errors
    /// Fails on a name without value, as [`Unset`].
    pub(crate) fn text(&self, text: &str) -> Result<String> {
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, after) = rest.split_at(at);
            replaced.push_str(before);
            let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            let end = after[1..]
                .find(|c| !is_name(c))
                .map_or(after.len(), |end| end + 1);
            let name = &after[1..end];
            match self.0.get(name) {
                Some(value) => replaced.push_str(value),
                // `$ref` and the like are not names.
                None if name.is_empty() => replaced.push('$'),
                None => bail!(Unset(name.to_owned())),
            }
            rest = &after[end..];
        }
        replaced.push_str(rest);
        Ok(replaced)
    }

    /// Replaces every `$NAME` in the JSON of `reply`, and of the call before it.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub(crate) fn reply(&self, reply: &Reply) -> Result<Reply> {
        let json = reply.json.as_ref().map(|json| self.value(json));
        let mut reply = Reply {
            json: json.transpose()?,
            ..reply.clone()
        };
        if let Some(json) = reply.first.as_mut().and_then(|first| first.json.as_mut()) {
            *json = self.value(json)?;
        }
        Ok(reply)
    }

    /// Replaces every `$NAME` in the strings of `value`.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub(crate) fn value(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => self.text(text)?.into(),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.value(item));
                Value::Array(items.collect::<Result<_>>()?)
            }
            Value::Object(members) => {
                let members = members.iter();
                let members = members.map(|(key, value)| Ok((key.clone(), self.value(value)?)));
                Value::Object(members.collect::<Result<_>>()?)
            }
            other => other.clone(),
        })
    }
}

/// A name without value: the data that the row needs was not prepared.
#[derive(Debug)]
pub(crate) struct Unset(pub(crate) String);

impl std::fmt::Display for Unset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is not set", self.0)
    }
}

impl std::error::Error for Unset {}
