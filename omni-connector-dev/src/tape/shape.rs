//! The shape of the answers on a tape: the types of each field, by operation.

use std::collections::{BTreeMap, BTreeSet};

use omni_connector::http::{Exchange, Recorded};
use serde_json::Value;

/// An operation, and the pointer of a field. `*` is every item of a list.
type Place = (String, String);

/// The types of each field.
#[derive(Debug, Default)]
pub(crate) struct Shape(BTreeMap<Place, BTreeSet<&'static str>>);

/// How a field differs between two tapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Only the first tape has it, with this type.
    Gone(String),
    /// Only the second tape has it.
    New(String),
    /// It has another type: that of the first tape, and that of the second.
    Other(String, String),
}

impl Shape {
    pub(crate) fn of(exchanges: &[Exchange]) -> Self {
        let mut shape = Self::default();
        for exchange in exchanges {
            if let (200..300, Recorded::Json(body)) =
                (exchange.answered.status, &exchange.answered.body)
            {
                shape.note(body, &exchange.operation, "");
            }
        }
        shape
    }

    fn note(&mut self, value: &Value, operation: &str, at: &str) {
        let name = match value {
            // A field without a value has any type.
            Value::Null => return,
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(items) => {
                for item in items {
                    self.note(item, operation, &format!("{at}/*"));
                }
                "a list"
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.note(value, operation, &format!("{at}/{name}"));
                }
                "an object"
            }
        };
        let place = (operation.to_owned(), at.to_owned());
        self.0.entry(place).or_default().insert(name);
    }

    /// Returns the operations with JSON answers.
    pub(crate) fn operations(&self) -> BTreeSet<&str> {
        self.0.keys().map(|(name, _)| name.as_str()).collect()
    }

    /// Returns the fields that differ in another shape, by operation and pointer. Operations of one shape only are not
    /// compared.
    pub(crate) fn changes(&self, now: &Self) -> Vec<(Place, Change)> {
        let shared = &self.operations() & &now.operations();
        let places: BTreeSet<_> = self.0.keys().chain(now.0.keys()).collect();
        let list = |types: &BTreeSet<&str>| types.iter().copied().collect::<Vec<_>>().join(" or ");
        let compared = places
            .into_iter()
            .filter(|(operation, _)| shared.contains(operation.as_str()));
        let changed = compared.filter_map(|place| {
            let change = match (self.0.get(place), now.0.get(place)) {
                (Some(was), None) if now.has_parent(place) => Change::Gone(list(was)),
                (None, Some(is)) if self.has_parent(place) => Change::New(list(is)),
                (Some(was), Some(is)) if was.is_disjoint(is) => Change::Other(list(was), list(is)),
                _ => return None,
            };
            Some((place.clone(), change))
        });
        changed.collect()
    }

    /// Returns whether the object or list around a field is known. Otherwise its absence says nothing about the field.
    fn has_parent(&self, (operation, pointer): &Place) -> bool {
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.0.contains_key(&(operation.clone(), parent.to_owned()))
    }
}
