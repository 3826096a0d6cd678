//! The item of the source that a document was made of, and the documents that were made of an answer. A connector does
//! not say this: both are found by comparing values, so they are guesses.

use std::collections::{BTreeMap, HashMap};

use omni_connector::{
    http::{Exchange, Recorded, RequestId},
    wire::timestamp,
};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    json::below,
    store::{
        StoreError,
        documents::{self, StoredDocument},
        requests, run_documents,
    },
};

/// Latest runs that sent a document, whose answers are searched.
const RUNS: usize = 3;
/// The most answers of a run that are read.
const ANSWERS: usize = 40;
/// The most documents of one answer that are returned.
const DOCUMENTS: usize = 100;
/// An object with the id of the document is its item if the id has at least this many characters. With a shorter id,
/// one more value must be the same.
const LONG_ID: usize = 8;

/// The JSON object that a document was probably made of.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SourceItem {
    /// The run that sent the document.
    pub(crate) run: String,
    /// The call whose answer has the item, as in the requests: the time when its process began, and its number.
    pub(crate) call: String,
    /// The name of the call.
    pub(crate) operation: String,
    /// The place of the item in the answer, as a JSON pointer (RFC 6901).
    pub(crate) place: String,
    pub(crate) item: Value,
    /// Parts of the document, such as `/metadata/url`, with the places of the same values in the item.
    pub(crate) same: BTreeMap<String, String>,
}

/// A document that was probably made of an answer.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MadeOf {
    pub(crate) document_id: String,
    pub(crate) title: String,
    /// The place of its item in the answer, as a JSON pointer.
    pub(crate) place: String,
}

impl SourceItem {
    /// Finds the item of a document in the answers that are kept of the latest runs that sent it.
    pub(crate) fn find(
        db: &Connection,
        document: &StoredDocument,
    ) -> Result<Option<Self>, StoreError> {
        let sought = Sought::of(document);
        let runs = run_documents::senders(db, &document.source_id, &document.document_id, RUNS)?;
        for run in runs {
            let answers = requests::answers_with(db, &run, sought.shortest_id(), ANSWERS)?;
            let found = answers.iter().filter_map(|(id, exchange)| {
                let found = sought.in_answer(exchange)?;
                Some((id, exchange, found))
            });
            // The latest of several that are equally like it.
            let best = found.rev().max_by_key(|(_, _, found)| found.same.len());
            if let Some((RequestId { began_ms, number }, exchange, found)) = best {
                return Ok(Some(Self {
                    call: format!("{began_ms}-{number}"),
                    operation: exchange.operation.clone(),
                    place: found.place,
                    item: found.item.clone(),
                    same: found.same,
                    run,
                }));
            }
        }
        Ok(None)
    }
}

impl MadeOf {
    /// Finds the documents of a run that were made of one of its answers.
    pub(crate) fn find(
        db: &Connection,
        run: &str,
        exchange: &Exchange,
    ) -> Result<Vec<Self>, StoreError> {
        let Recorded::Json(body) = &exchange.answered.body else {
            return Ok(Vec::new());
        };
        let values = values_of(body);
        let mut found = Vec::new();
        for (source, id) in run_documents::sent(db, run)? {
            if !ids_of(&id).any(|id| values.contains_key(&normal(id))) {
                continue;
            }
            let Some(document) = documents::find(db, &source, &id)? else {
                continue;
            };
            let sought = Sought::of(&document);
            if let Some(Found { place, .. }) = sought.in_answer(exchange) {
                found.push(Self {
                    document_id: id,
                    title: document.title,
                    place,
                });
            }
            if found.len() == DOCUMENTS {
                break;
            }
        }
        Ok(found)
    }
}

/// What is looked for of a document.
struct Sought<'a> {
    id: &'a str,
    /// Its parts by their places, in normal form.
    parts: Vec<(String, String)>,
}

/// An object that may be the item of a document.
struct Found<'a> {
    place: String,
    item: &'a Value,
    same: BTreeMap<String, String>,
}

impl<'a> Sought<'a> {
    fn of(document: &'a StoredDocument) -> Self {
        let title = Value::String(document.title.clone());
        let mut parts = Vec::new();
        for (place, value) in [
            ("/title", &title),
            ("/metadata", &document.metadata),
            ("/attributes", &document.attributes),
        ] {
            walk(value, place, &mut |place, value| {
                parts.extend(scalar(value).map(|value| (place.to_owned(), value)));
            });
        }
        let id = &document.document_id;
        Self { id, parts }
    }

    fn shortest_id(&self) -> &'a str {
        ids_of(self.id).last().unwrap_or(self.id)
    }

    /// Finds the object with the id of the document that has most of its values.
    fn in_answer<'b>(&self, exchange: &'b Exchange) -> Option<Found<'b>> {
        let Recorded::Json(body) = &exchange.answered.body else {
            return None;
        };
        let ids: Vec<_> = ids_of(self.id).map(normal).collect();
        let mut best: Option<Found<'b>> = None;
        walk(body, "", &mut |place, item| {
            let Value::Object(members) = item else {
                return;
            };
            let has_id = |value: &Value| scalar(value).is_some_and(|value| ids.contains(&value));
            if !members.values().any(has_id) {
                return;
            }
            let values = values_of(item);
            let of = |(part, value): &(String, String)| {
                let place = values.get(value)?;
                Some((part.clone(), place.clone()))
            };
            let same: BTreeMap<_, _> = self.parts.iter().filter_map(of).collect();
            let is_likely = !same.is_empty() || self.shortest_id().len() >= LONG_ID;
            let is_better = |best: &Found<'_>| same.len() > best.same.len();
            if is_likely && best.as_ref().is_none_or(is_better) {
                let place = place.to_owned();
                best = Some(Found { place, item, same });
            }
        });
        best
    }
}

/// Returns an id and, if it has several segments, the last one.
fn ids_of(id: &str) -> impl Iterator<Item = &str> {
    let last = id.rsplit(['/', ':', '#', '|']).next();
    let last = last.filter(|last| !last.is_empty() && *last != id);
    [id].into_iter().chain(last)
}

/// Calls a function for a value and all values in it, each with its place as a JSON pointer.
fn walk<'a>(value: &'a Value, place: &str, seen: &mut impl FnMut(&str, &'a Value)) {
    seen(place, value);
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                walk(value, &below(place, name), seen);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                walk(value, &format!("{place}/{index}"), seen);
            }
        }
        _ => {}
    }
}

/// Returns the texts and numbers in a value, each with its first place.
fn values_of(value: &Value) -> HashMap<String, String> {
    let mut values = HashMap::new();
    walk(value, "", &mut |place, value| {
        if let Some(value) = scalar(value) {
            values.entry(value).or_insert_with(|| place.to_owned());
        }
    });
    values
}

/// Returns a text or a number in normal form. Others say nothing about where they come from.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(normal(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// One form for equal times, and for texts that differ in case.
fn normal(text: &str) -> String {
    match timestamp::parse(text) {
        Ok(time) => format!("time {}", time.unix_timestamp_nanos()),
        Err(_) => text.trim().to_lowercase(),
    }
}
