//! The form of requests: their members and types, learned from those that were answered 200.

use std::collections::BTreeMap;

use serde_json::Value;

/// The values seen at one place.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// `null`, `boolean`, `number`, `string`
    scalars: Vec<&'static str>,
    items: Option<Box<Form>>,
    members: Option<BTreeMap<String, Form>>,
}

fn scalar(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        _ => "string",
    }
}

impl Form {
    pub(super) fn learn(&mut self, value: &Value) {
        match value {
            Value::Array(items) => {
                let form = self.items.get_or_insert_default();
                for item in items {
                    form.learn(item);
                }
            }
            Value::Object(object) => {
                let members = self.members.get_or_insert_default();
                for (key, value) in object {
                    members.entry(key.clone()).or_default().learn(value);
                }
            }
            _ => self.scalars.push(scalar(value)),
        }
    }

    /// Returns the places where `value` deviates from this form.
    pub(super) fn differ(&self, value: &Value) -> Vec<String> {
        match value {
            Value::Array(items) => match &self.items {
                None => vec!["was never a list".to_owned()],
                Some(form) => items.iter().flat_map(|item| form.differ(item)).collect(),
            },
            Value::Object(object) => match &self.members {
                None => vec!["was never an object".to_owned()],
                Some(members) => object
                    .iter()
                    .flat_map(|(key, value)| {
                        let differences = match members.get(key) {
                            None => vec!["was never sent".to_owned()],
                            Some(form) => form.differ(value),
                        };
                        differences
                            .into_iter()
                            .map(move |difference| format!("`{key}` {difference}"))
                    })
                    .collect(),
            },
            _ if self.scalars.contains(&scalar(value)) => Vec::new(),
            _ => vec![format!("was never a {}", scalar(value))],
        }
    }
}
