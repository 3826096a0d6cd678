//! Forms from JSON schemas, rendered with a value and decoded into a value. They work without scripts: a button that
//! adds or removes an item of a list submits the form and renders it again.
//!
//! The name of a field is a letter for its role and the JSON pointer of its value. A part of a schema without a
//! suitable control is edited as JSON.

mod decode;
mod kind;
mod render;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::json::below;

pub(super) use decode::decode;
pub(super) use render::render;

/// The deepest nesting of controls; below it a value is edited as JSON.
const DEEPEST: usize = 10;

/// Roles of fields, the first letter of their names.
mod role {
    /// The value itself.
    pub(super) const VALUE: char = 'v';
    /// Whether an optional part is present.
    pub(super) const PRESENT: char = 'p';
    /// The number of items in a list.
    pub(super) const COUNT: char = 'n';
    /// The key of an item of a map.
    pub(super) const KEY: char = 'k';
    /// The selected alternative.
    pub(super) const CHOICE: char = 'c';
    /// Members that the schema does not name, as JSON.
    pub(super) const OTHERS: char = 'o';
}

/// The button that adds an item to the list at its value.
const ADD: &str = "add";
/// The button that removes the item at its value.
const REMOVE: &str = "remove";

/// The fields of a submitted form.
#[derive(Debug, Default)]
pub(super) struct Fields {
    values: HashMap<String, String>,
}

impl Fields {
    pub(super) fn new(sent: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            values: sent.into_iter().collect(),
        }
    }

    /// Returns a field by its full name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Returns the names of all fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Returns a field that is present and not empty.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|text| !text.is_empty())
    }

    fn at(&self, role: char, place: &str) -> Option<&str> {
        self.get(&format!("{role}{place}"))
    }

    fn count(&self, place: &str) -> usize {
        let count = self
            .at(role::COUNT, place)
            .and_then(|count| count.parse().ok());
        count.unwrap_or(0).min(1000)
    }

    /// Returns whether the submitting button only changes the form.
    pub(super) fn is_reshaped(&self) -> bool {
        self.get(ADD).is_some() || self.get(REMOVE).is_some()
    }
}

/// A value from a form, and its faults by path.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) value: Value,
    pub(super) faults: HashMap<String, String>,
}

/// Returns an empty object, the value of an empty form.
pub(super) fn nothing() -> Value {
    Value::Object(Map::new())
}
