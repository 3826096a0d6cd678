//! Loads the recorded exchanges: requests to the manager, and the calls that the manager makes
//! meanwhile.

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::fake::Wire;

/// The boundary of recorded forms.
pub(crate) const BOUNDARY: &str = "X-BOUNDARY-7d1";

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) direction: String,
    pub(crate) request: Value,
    pub(crate) response: Value,
    pub(crate) effect: Value,
    pub(crate) note: String,
}

impl Entry {
    pub(crate) fn is_call_of_the_manager(&self) -> bool {
        self.direction.starts_with("manager->")
    }

    pub(crate) fn method(&self) -> &str {
        self.request["method"].as_str().unwrap()
    }

    pub(crate) fn path(&self) -> &str {
        self.request["path"].as_str().unwrap()
    }
}

/// An exchange and the manager's calls during it.
pub(crate) struct Exchange {
    pub(crate) asked: Entry,
    pub(crate) calls: Vec<Entry>,
}

/// Reads a file of recordings and replaces the recorded ports by those of this run.
pub(crate) fn load(file: &str, wire: &Wire) -> Vec<Entry> {
    let path = format!(
        "{}/tests/recorded/data/{file}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    let all = wire.with_ports(&text);
    let entries: Vec<Value> = serde_json::from_str(&all).unwrap();
    let answers: Vec<Raw> = serde_json::from_str(&all).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut resolved = Vec::with_capacity(entries.len());
    for (entry, raw) in entries.iter().zip(answers) {
        let mut response = resolve(&entry["response"], &entries);
        if let Some(body) = raw.response.body {
            response["text"] = spaced(body.get()).into();
        }
        resolved.push(Entry {
            name: text(&entry["name"]),
            direction: text(&entry["direction"]),
            request: resolve(&entry["request"], &entries),
            response,
            effect: entry["effect"].clone(),
            note: text(&entry["note"]),
        });
    }
    resolved
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    response: RawResponse<'a>,
}

#[derive(Deserialize)]
struct RawResponse<'a> {
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

/// Formats JSON as the recorded fakes wrote it, with a space after each separator, since error
/// messages quote it.
fn spaced(json: &str) -> String {
    let (mut text, mut in_string, mut escaped) = (String::new(), false, false);
    for c in json.chars() {
        text.push(c);
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_string = !in_string,
            ',' | ':' if !in_string => text.push(' '),
            _ => {}
        }
    }
    text
}

/// Groups the manager's calls under the request before them.
pub(crate) fn group(entries: Vec<Entry>) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for entry in entries {
        if entry.is_call_of_the_manager() {
            let exchange = exchanges.last_mut().unwrap();
            assert!(entry.name.starts_with(&exchange.asked.name));
            exchange.calls.push(entry);
        } else {
            exchanges.push(Exchange {
                asked: entry,
                calls: Vec::new(),
            });
        }
    }
    exchanges
}

/// Replaces `"$same_as …"` by the value it refers to.
fn resolve(value: &Value, entries: &[Value]) -> Value {
    match value {
        Value::String(text) if text.starts_with("$same_as ") => {
            let value = elsewhere(&text["$same_as ".len()..], entries);
            resolve(&value, entries)
        }
        Value::Object(object) if object.contains_key("$same_as") => {
            let value = elsewhere(object["$same_as"].as_str().unwrap(), entries);
            resolve(&value, entries)
        }
        Value::Object(object) => Value::Object(
            object
                .iter()
                .map(|(key, value)| (key.clone(), resolve(value, entries)))
                .collect(),
        ),
        Value::Array(items) => items.iter().map(|item| resolve(item, entries)).collect(),
        other => other.clone(),
    }
}

/// Resolves `name`, `name[0]` or `name[0].member` to an answered body or the file of a form.
fn elsewhere(place: &str, entries: &[Value]) -> Value {
    let (name, rest) = place.split_at(place.find('[').unwrap_or(place.len()));
    let entry = entries.iter().find(|entry| entry["name"] == name);
    let entry = entry.unwrap_or_else(|| panic!("no entry `{name}`"));
    if rest.is_empty() {
        let form = entry["request"]["body"]["$multipart"].as_array();
        let file = form.and_then(|form| form.iter().find(|part| part[0] == "data"));
        return file.map_or_else(|| entry["response"]["body"].clone(), |part| part[1].clone());
    }
    let (index, member) = rest[1..].split_once(']').unwrap();
    let item = &entry["response"]["body"][index.parse::<usize>().unwrap()];
    match member.strip_prefix('.') {
        Some(member) => item[member].clone(),
        None => item.clone(),
    }
}

/// Returns a body as sent, with its content type.
pub(crate) fn body(value: Option<&Value>) -> (Vec<u8>, Option<String>) {
    let Some(value) = value else {
        return (Vec::new(), None);
    };
    match value {
        Value::Object(object) if object.contains_key("$multipart") => {
            let form = form(object["$multipart"].as_array().unwrap());
            let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
            (form, Some(content_type))
        }
        Value::Object(object) if object.contains_key("$base64") => {
            (bytes(value), Some("application/json".to_owned()))
        }
        Value::String(text) => (
            text.clone().into_bytes(),
            Some("application/json".to_owned()),
        ),
        json => (
            json.to_string().into_bytes(),
            Some("application/json".to_owned()),
        ),
    }
}

/// Decodes a string, `{"$base64": …}` or `{"$size_bytes": …}`.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    match value {
        Value::String(text) => text.clone().into_bytes(),
        other if other["$base64"].is_string() => BASE64_STANDARD
            .decode(other["$base64"].as_str().unwrap())
            .unwrap(),
        other => {
            let size = other["$size_bytes"].as_u64().unwrap();
            vec![b'x'; usize::try_from(size).unwrap()]
        }
    }
}

fn form(parts: &[Value]) -> Vec<u8> {
    let mut form = Vec::new();
    for part in parts {
        let name = part[0].as_str().unwrap();
        let file = if name == "data" {
            "; filename=\"file\"\r\nContent-Type: application/octet-stream"
        } else {
            ""
        };
        form.extend(
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n"
            )
            .into_bytes(),
        );
        form.extend(bytes(&part[1]));
        form.extend(b"\r\n");
    }
    form.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    form
}

/// Returns the events of a progress stream, without repetitions.
pub(crate) fn events(stream: &str) -> Value {
    let mut events: Vec<Value> = stream
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .map(|event| serde_json::from_str(event).unwrap_or_else(|_| json!(event)))
        .collect();
    events.dedup();
    Value::Array(events)
}
