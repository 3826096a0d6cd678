//! A row of the suite, as it stands in the data: what is asked, what must come back, and what must be so afterwards.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

/// One promise of the protocol.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Where it stands in `protocol.md`.
    pub(crate) section: String,
    pub(crate) name: String,
    /// Which of the processes under test it is for; none for the usual one.
    #[serde(default)]
    pub(crate) of: Option<String>,
    /// A source of its own that the scripted manager serves as `$SOURCE`; its fields differ from the usual ones.
    #[serde(default)]
    pub(crate) source: Option<Map<String, Value>>,
    /// The secret of that source's credential; null when it has none.
    #[serde(default, deserialize_with = "present")]
    pub(crate) secret: Option<Value>,
    /// Fields of the scripted connector's manifest that differ from the usual ones.
    #[serde(default)]
    pub(crate) register: Option<Map<String, Value>>,
    /// The mode of a run that is created as `$RUN`.
    #[serde(default)]
    pub(crate) run: Option<String>,
    /// A source of its own as `$SOURCE_SCHEDULED`, from when the connector has registered: the seconds between its scheduled
    /// runs, null for none. Only the manager here can be given one.
    #[serde(default, deserialize_with = "present")]
    pub(crate) schedules: Option<Value>,
    /// Whether that source is disabled once `before` is done.
    #[serde(default)]
    pub(crate) disables: bool,
    /// Whether the request counts as activity of `$RUN`. Only the manager here can be looked into.
    #[serde(default)]
    pub(crate) touches: Option<bool>,
    /// A route that an upload, which does not end, is under way to meanwhile.
    #[serde(default)]
    pub(crate) held: Option<String>,
    /// What is done first.
    #[serde(default)]
    pub(crate) before: Vec<Step>,
    /// What the other side answers meanwhile instead of the usual, by call; each answer is used once.
    #[serde(default)]
    pub(crate) answers: BTreeMap<String, Vec<Reply>>,
    /// What the row is about.
    pub(crate) ask: Step,
    /// Calls that the other side gets, in this order; others may come between.
    #[serde(default)]
    pub(crate) called: Vec<Called>,
    /// Calls that it does not get, neither before nor within the time that `after` takes.
    #[serde(default)]
    pub(crate) not_called: Vec<String>,
    /// Calls that it gets once, and not again within the time that `after` takes.
    #[serde(default)]
    pub(crate) once: Vec<String>,
    /// What must be so in the end, each within a time that says "soon" on a busy machine.
    #[serde(default)]
    pub(crate) after: Vec<Step>,
}

/// One exchange: a request, and what its answer must be. What is not given is not looked at.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// `POST /sdk/events`
    pub(crate) call: String,
    /// A JSON body, sent as `application/json`.
    #[serde(default, deserialize_with = "present")]
    pub(crate) json: Option<Value>,
    /// A body as it stands, sent as `application/json` unless a type is given.
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(rename = "type", default)]
    pub(crate) content_type: Option<String>,
    /// Headers that are sent along.
    #[serde(default)]
    pub(crate) send: BTreeMap<String, String>,
    /// The scripted connector's manifest with these fields instead; `<absent>` leaves one out.
    #[serde(default)]
    pub(crate) manifest: Option<Map<String, Value>>,
    /// The parts of a form; `data` is sent as a file.
    #[serde(default)]
    pub(crate) form: Option<Vec<(String, String)>>,
    /// The status, or those of which it must be one; 200 unless it is given.
    #[serde(default)]
    pub(crate) status: Statuses,
    /// The body's shape: see [`crate::shape`].
    #[serde(default, deserialize_with = "present")]
    pub(crate) body: Option<Value>,
    /// Headers, by their names in lower case.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Value>,
    /// Names for what stands in the answer, by JSON pointer.
    #[serde(default)]
    pub(crate) save: BTreeMap<String, String>,
}

/// Statuses of which one must be answered.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Statuses {
    One(u16),
    Any(Vec<u16>),
}

/// A call that came.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Called {
    pub(crate) call: String,
    #[serde(default, deserialize_with = "present")]
    pub(crate) body: Option<Value>,
}

/// What the other side answers.
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
    /// The connection is closed without an answer.
    #[serde(default)]
    pub(crate) close: bool,
    /// So much later; the caller may have gone by then.
    #[serde(default)]
    pub(crate) late_ms: u64,
    /// A call that the other side makes before it answers; `$RUN` is the run that it was asked about.
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

/// A field that is null is given, too.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Rows of one file.
pub(crate) fn read(name: &str, text: &str) -> Result<Vec<Row>> {
    serde_json::from_str(text).with_context(|| format!("the rows of `{name}`"))
}

/// Names and what they stand for: `$SOURCE` in a row is the text under `SOURCE`.
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

    /// `text` with every `$NAME` replaced.
    ///
    /// # Errors
    /// A name that stands for nothing, as [`Unset`].
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
                // `$ref` and the like are no names.
                None if name.is_empty() => replaced.push('$'),
                None => bail!(Unset(name.to_owned())),
            }
            rest = &after[end..];
        }
        replaced.push_str(rest);
        Ok(replaced)
    }

    /// `reply` with every `$NAME` in its JSON replaced, and in the JSON of the call before it.
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

    /// `value` with every `$NAME` in its texts replaced.
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

/// A name that stands for nothing: nobody prepared what the row needs.
#[derive(Debug)]
pub(crate) struct Unset(pub(crate) String);

impl std::fmt::Display for Unset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is not set", self.0)
    }
}

impl std::error::Error for Unset {}
