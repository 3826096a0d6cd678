//! Darwinbox's records: objects whose values may be strings, numbers, blank or missing.

use std::collections::BTreeMap;

use omni_connector::prelude::*;
use serde_json::Map;

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Record(Map<String, Value>);

impl Record {
    /// Makes a record from an object. Returns `None` for any other value.
    pub(crate) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(fields) => Some(Self(fields)),
            _ => None,
        }
    }

    /// Makes a record from the row of a table.
    pub(crate) fn of_row(columns: &[String], row: &[Value]) -> Self {
        Self(columns.iter().cloned().zip(row.iter().cloned()).collect())
    }

    /// Returns the value of a field as a string. A blank value counts as missing.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Returns the value of the first field that has one, for `a|b`. For `a+b`, joins all values.
    pub(crate) fn first(&self, fields: &str) -> Option<String> {
        fields.split('|').find_map(|field| {
            let parts: Vec<_> = field
                .split('+')
                .filter_map(|part| self.text(part))
                .collect();
            (!parts.is_empty()).then(|| parts.join(" — "))
        })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Returns all fields, in the order of the keys.
    pub(crate) fn canonical(&self) -> String {
        let sorted: BTreeMap<_, _> = self.0.iter().collect();
        json!(sorted).to_string()
    }
}
