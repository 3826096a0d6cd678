//! Forms made from JSON schemas: rendered with a value in them, and decoded into a value again. They work without script:
//! a button that adds or removes an item of a list is answered with the form anew.
//!
//! A field is named after its place: a letter for its role, then the JSON pointer of the value. What a schema says that no
//! control can show is edited as JSON.

mod decode;
mod kind;
mod render;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde_json::{Map, Value};

pub(super) use decode::decode;
pub(super) use render::render;

/// How deep controls are nested before JSON takes over.
const DEEPEST: usize = 10;

/// Roles of fields, the first letter of their names.
mod role {
    /// The value itself.
    pub(super) const VALUE: char = 'v';
    /// Whether an optional part is there.
    pub(super) const PRESENT: char = 'p';
    /// How many items a list has.
    pub(super) const COUNT: char = 'n';
    /// The key of an item of a map.
    pub(super) const KEY: char = 'k';
    /// Which alternative is chosen.
    pub(super) const CHOICE: char = 'c';
    /// Members that the schema does not name, as JSON.
    pub(super) const OTHERS: char = 'o';
}

/// The button that adds an item to the list at its value.
const ADD: &str = "add";
/// The button that removes the item at its value.
const REMOVE: &str = "remove";

/// The fields of a form that was sent.
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

    /// A field by its whole name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A field that is there and not empty.
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

    /// Whether a button asked for another form and not for what the form does.
    pub(super) fn is_reshaped(&self) -> bool {
        self.get(ADD).is_some() || self.get(REMOVE).is_some()
    }
}

/// A value out of a form, with what is wrong in it by place.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) value: Value,
    pub(super) faults: HashMap<String, String>,
}

/// A place below another one.
fn below(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// An empty object, the value of a form that nobody has filled.
pub(super) fn nothing() -> Value {
    Value::Object(Map::new())
}
