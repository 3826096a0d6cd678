//! Compares answers with recordings: ids issued by the manager and times by form, everything else
//! exactly.

use std::collections::HashMap;

use serde_json::Value;

/// Maps recorded ids to ids of this run.
#[derive(Debug, Default)]
pub(crate) struct Ids(HashMap<String, String>);

impl Ids {
    /// Replaces the recorded ids in a string by the ids of this run.
    pub(crate) fn apply(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, (recorded, actual)| {
                text.replace(recorded, actual)
            })
    }

    pub(crate) fn of(&self, recorded: &str) -> String {
        self.0
            .get(recorded)
            .cloned()
            .unwrap_or_else(|| recorded.to_owned())
    }

    fn bind(&mut self, recorded: &str, actual: &str) -> bool {
        let known = self
            .0
            .entry(recorded.to_owned())
            .or_insert_with(|| actual.to_owned());
        known == actual
    }
}

/// Returns the first difference, if any.
pub(crate) fn differ(expected: &Value, actual: &Value, ids: &mut Ids) -> Option<String> {
    let different = || Some(format!("expected {expected}, got {actual}"));
    match (expected, actual) {
        (Value::String(text), _) if text.starts_with('$') => match text.as_str() {
            "$absent" => actual
                .is_null()
                .then_some(())
                .map_or_else(different, |()| None),
            _ => None,
        },
        (Value::String(expected), Value::String(actual)) => {
            if is_issued(expected) {
                let is_same = actual.len() == 26 && ids.bind(expected, actual);
                (!is_same).then(|| format!("expected the id {expected}, got {actual}"))
            } else if is_recorded_time(expected) {
                let is_same = form(expected) == form(actual);
                (!is_same).then(|| format!("expected a time like {expected}, got {actual}"))
            } else {
                (ids.apply(expected) != *actual).then(different)?
            }
        }
        (Value::Number(expected), Value::Number(actual)) => {
            let is_same = expected == actual || expected.as_f64() == actual.as_f64();
            (!is_same).then(different)?
        }
        (Value::Array(expected), Value::Array(actual)) => {
            let cut = expected.iter().position(is_elided);
            let count = cut.unwrap_or(expected.len());
            if cut.map_or(actual.len() != count, |_| actual.len() < count) {
                return different();
            }
            expected[..count].iter().zip(actual).enumerate().find_map(
                |(index, (expected, actual))| {
                    differ(expected, actual, ids).map(|text| format!("[{index}] {text}"))
                },
            )
        }
        (Value::Object(expected), Value::Object(actual)) => {
            let unexpected = actual.keys().find(|key| !expected.contains_key(*key));
            if let Some(key) = unexpected {
                return Some(format!("`{key}` is not expected: {}", actual[key]));
            }
            expected.iter().find_map(|(key, expected)| {
                match actual.get(key) {
                    Some(actual) => differ(expected, actual, ids),
                    None if expected == "$absent" => None,
                    None => Some("is missing".to_owned()),
                }
                .map(|text| format!(".{key} {text}"))
            })
        }
        _ => (expected != actual).then(different)?,
    }
}

/// Like [`differ`], for a list in arbitrary order.
pub(crate) fn differ_in_any_order(
    expected: &Value,
    actual: &Value,
    ids: &mut Ids,
) -> Option<String> {
    match (expected, actual) {
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let mut left: Vec<_> = actual.iter().collect();
            for item in expected {
                let Some(index) = left
                    .iter()
                    .position(|other| differ(item, other, ids).is_none())
                else {
                    return Some(format!("{item} is missing among {actual:?}"));
                };
                left.remove(index);
            }
            None
        }
        (Value::Object(expected), Value::Object(actual)) if expected.len() == 1 => {
            expected.iter().find_map(|(key, expected)| {
                differ_in_any_order(expected, actual.get(key).unwrap_or(&Value::Null), ids)
            })
        }
        _ => differ(expected, actual, ids),
    }
}

/// Matches `"$nine more"`.
fn is_elided(item: &Value) -> bool {
    item.as_str()
        .is_some_and(|text| text.starts_with('$') && text.contains(' '))
}

fn is_issued(text: &str) -> bool {
    text.starts_with("01K3REC") && text.len() == 26
}

/// Returns whether a time was issued during the recording: it is later than all prepared times.
fn is_recorded_time(text: &str) -> bool {
    let text = text.trim_start_matches("+00");
    let Some(rest) = text.strip_prefix("2026-08-22") else {
        return false;
    };
    rest.starts_with("T0") || rest.starts_with(" 4:") || rest.starts_with(" 5:")
}

/// Replaces digits by `d`, and a fraction by `f` with its length if the length is fixed.
fn form(time: &str) -> String {
    let extended = time.starts_with('+');
    let mut form = String::new();
    for c in time.chars() {
        match c {
            c if c.is_ascii_digit() && (extended || !form.ends_with('d')) => form.push('d'),
            c if c.is_ascii_digit() => {}
            c => form.push(c),
        }
    }
    form
}
