//! Works out from the calls of a run why its documents differ from the expected ones. A cause that the calls do not show
//! is left out.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Failure, world::State};
use crate::testing::{
    Found,
    journal::{Entry, Side},
};

/// The most differences that a failure lists.
const LISTED: usize = 12;

/// Adds the differences from the expected state to a failure, and their cause if the calls show it.
pub(super) fn explained(
    failure: Failure,
    calls: &[Entry],
    expected: &State,
    found: &State,
) -> Failure {
    let failure = failure.fact("lost", lost(calls, expected, found));
    match cause(calls, expected, found) {
        Some((because, help)) => failure.because(because).help(help),
        None => failure,
    }
}

/// Lists the differences, with the number of missing documents and the answer that had brought all of them.
fn lost(calls: &[Entry], expected: &State, found: &State) -> String {
    let mut lines = found.differences(expected);
    let more = lines.len().saturating_sub(LISTED);
    lines.truncate(LISTED);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    let missing = missing(expected, found);
    if !missing.is_empty() {
        let count = format!(
            "{} of {} documents are missing",
            missing.len(),
            expected.documents.len()
        );
        let sources: BTreeSet<_> = missing
            .iter()
            .map(|document| {
                brought_by(calls, document).map(|at| (&calls[at].route, calls[at].number))
            })
            .collect();
        lines.push(match (sources.len(), sources.first()) {
            (1, Some(Some((route, number)))) => {
                format!("{count}, all from answer {} to `{route}`", number + 1)
            }
            _ => count,
        });
    }
    lines.join("\n")
}

fn missing<'a>(expected: &'a State, found: &State) -> Vec<&'a Found> {
    let all = expected.documents.iter();
    all.filter(|document| found.documents.get(&document.id).is_none())
        .collect()
}

fn has(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(&format!("\"{text}\""))
}

/// Returns the first answer of the source with a document.
fn brought_by(calls: &[Entry], document: &Found) -> Option<usize> {
    calls.iter().position(|call| {
        call.side == Side::Source
            && (has(&call.answer, &document.id) || has(&call.answer, &document.title))
    })
}

/// Returns why documents differ and how to fix it, if the calls show it.
fn cause(calls: &[Entry], expected: &State, found: &State) -> Option<(String, &'static str)> {
    lost_document(calls, expected, found).or_else(|| misspelled_delete(calls, expected, found))
}

fn lost_document(
    calls: &[Entry],
    expected: &State,
    found: &State,
) -> Option<(String, &'static str)> {
    let lost = *missing(expected, found).first()?;
    if sent(calls).any(|event| event["document_id"] == lost.id && event["type"] != DELETED) {
        let help = "keep in the checkpoint what the run saw before it was interrupted, as an `Inventory` does";
        let is_deleted = deleted(calls).contains(&lost.id);
        let text = format!("{} was sent, and deleted by the resumed run", lost.id);
        return is_deleted.then_some((text, help));
    }
    let read = brought_by(calls, lost)?;
    let saved = calls[read..].iter().any(|call| call.route == "checkpoint");
    let help = "save a checkpoint only after everything that it says is done was emitted";
    let text = format!(
        "a checkpoint was saved after `{}` had brought {} and before it was sent",
        calls[read].route, lost.id
    );
    saved.then_some((text, help))
}

/// Finds a deleted id that no document has, and the surplus document that was meant.
pub(super) fn misspelled_delete(
    calls: &[Entry],
    expected: &State,
    found: &State,
) -> Option<(String, &'static str)> {
    let surplus: Vec<_> = found
        .documents
        .ids()
        .into_iter()
        .filter(|id| expected.documents.get(id).is_none())
        .collect();
    let deleted = deleted(calls);
    let unknown = deleted.iter().find(|id| {
        let is_known = expected.documents.get(id).is_some();
        !is_known && found.documents.get(id).is_none() && !was_sent(calls, id)
    })?;
    let meant = surplus
        .iter()
        .find(|id| plain(id) == plain(unknown))
        .or_else(|| surplus.first())?;
    let text = format!("the run deletes `{unknown}`, but the document is `{meant}`");
    Some((
        text,
        "make the ids of documents and of deletes with one function",
    ))
}

/// Reduces an id to its letters and digits in lower case.
fn plain(id: &str) -> String {
    let letters = id.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Returns the item of a document in every answer of the source.
fn items_of(calls: &[Entry], document: &Found) -> Vec<Value> {
    let mut items = Vec::new();
    for call in calls.iter().filter(|call| call.side == Side::Source) {
        if let Ok(body) = serde_json::from_slice(&call.answer) {
            collect_items(body, document, &mut items);
        }
    }
    items
}

/// Returns a reader of a document whom the source names less often than before.
pub(super) fn taken_reader<'a>(calls: &[Entry], document: &'a Found) -> Option<&'a str> {
    let items = items_of(calls, document);
    let (first, last) = (items.first()?.to_string(), items.last()?.to_string());
    let count = |text: &str, reader: &str| text.matches(&format!("\"{reader}\"")).count();
    let mut readers = document.readers().into_iter();
    readers.find(|reader| count(&last, reader) < count(&first, reader))
}

/// Returns why a document keeps a reader that the source took away.
pub(super) fn kept_reader(calls: &[Entry], document: &Found, reader: &str) -> String {
    let items = items_of(calls, document);
    let Some(item) = items.last() else {
        return format!("no answer of the source has the item of {}", document.id);
    };
    match field_with(item, reader, "") {
        Some(field) => format!(
            "`{field}` of the item still names {reader}, so the readers seem to be read from that field"
        ),
        None => format!(
            "the last answer with the item does not name {reader} any more, so the readers are those of an earlier run"
        ),
    }
}

/// Collects the smallest objects with the title of a document.
fn collect_items(value: Value, document: &Found, found: &mut Vec<Value>) {
    match value {
        Value::Array(items) => {
            for item in items {
                collect_items(item, document, found);
            }
        }
        Value::Object(fields) => {
            let is_item = fields.values().any(|value| {
                value
                    .as_str()
                    .is_some_and(|text| text == document.title || text == document.id)
            });
            if is_item {
                found.push(Value::Object(fields));
            } else {
                for (_, value) in fields {
                    collect_items(value, document, found);
                }
            }
        }
        _ => {}
    }
}

/// Returns the pointer of a string.
fn field_with(value: &Value, text: &str, at: &str) -> Option<String> {
    match value {
        Value::String(is) => is.eq_ignore_ascii_case(text).then(|| at.to_owned()),
        Value::Array(items) => items.iter().find_map(|item| field_with(item, text, at)),
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, value)| field_with(value, text, &format!("{at}/{name}"))),
        _ => None,
    }
}

/// The type of an event that deletes a document.
const DELETED: &str = "document_deleted";

/// Iterates over the events that were sent to the manager.
fn sent(calls: &[Entry]) -> impl Iterator<Item = Value> {
    let batches = calls.iter().filter(|call| call.route == "events/batch");
    batches.flat_map(|call| {
        let batch: Value = serde_json::from_slice(&call.request).unwrap_or_default();
        match batch {
            Value::Array(events) => events,
            batch => batch["events"].as_array().cloned().unwrap_or_default(),
        }
    })
}

fn was_sent(calls: &[Entry], id: &str) -> bool {
    sent(calls).any(|event| event["document_id"] == id && event["type"] != DELETED)
}

fn deleted(calls: &[Entry]) -> Vec<String> {
    let deletes = sent(calls).filter(|event| event["type"] == DELETED);
    let ids = deletes.filter_map(|event| Some(event["document_id"].as_str()?.to_owned()));
    ids.collect()
}
