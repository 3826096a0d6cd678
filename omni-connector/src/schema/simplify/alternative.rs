//! Simplifies alternatives: the only one of a list, and lists of constants.

use serde_json::{Value, json};

use super::{Schema, null::is_null};

/// Keywords that describe a value without restricting it.
const ANNOTATIONS: [&str; 6] = [
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Merges the only schema in `anyOf`, `oneOf` or `allOf` into the surrounding schema.
pub(super) fn lift_only_alternative(object: &mut Schema) {
    for key in ["anyOf", "oneOf", "allOf"] {
        let Some([Value::Object(inner)]) =
            object.get(key).and_then(Value::as_array).map(Vec::as_slice)
        else {
            continue;
        };
        let is_free = |name: &String| {
            name == key || ANNOTATIONS.contains(&name.as_str()) || !object.contains_key(name)
        };
        if !inner.keys().all(is_free) {
            continue;
        }
        let mut inner = inner.clone();
        object.remove(key);
        let words = [&*object, &inner].map(|of| text_of(of, "description"));
        if let [Some(own), Some(of_type)] = words
            && let Some(with_values) = with_values(own, of_type)
        {
            inner.remove("description");
            object.insert("description".to_owned(), with_values.into());
        }
        // The outer description is the field's; the type's description follows it.
        for (name, value) in inner {
            object.entry(name).or_insert(value);
        }
    }
}

fn text_of<'a>(schema: &'a Schema, key: &str) -> Option<&'a str> {
    schema.get(key).and_then(Value::as_str)
}

/// The prefix of a line that describes one value of a list.
const VALUE_LINE: &str = "- `";

/// Appends the type's description of each value to the field's description; none if the type describes no value.
fn with_values(own: &str, of_type: &str) -> Option<String> {
    let lines: Vec<_> = of_type
        .lines()
        .filter(|line| line.starts_with(VALUE_LINE) && !own.contains(line))
        .collect();
    (!lines.is_empty()).then(|| format!("{own}\n{}", lines.join("\n")))
}

/// Combines alternatives that are all lists of constants into one list; their descriptions become lines.
pub(super) fn collapse_enum(object: &mut Schema) {
    for key in ["oneOf", "anyOf"] {
        let Some(Value::Array(alternatives)) = object.get(key) else {
            continue;
        };
        let mut values: Vec<Value> = Vec::new();
        let mut lines = Vec::new();
        for alternative in alternatives {
            let constants = match alternative.get("enum") {
                Some(Value::Array(constants)) => constants.clone(),
                None if is_null(alternative) => vec![Value::Null],
                _ => return,
            };
            if let Some(description) = alternative["description"].as_str() {
                // Each value has one line of its own.
                let words: Vec<_> = description.split_whitespace().collect();
                let description = words.join(" ");
                let names: Vec<_> = constants
                    .iter()
                    .map(|value| value.as_str().map_or(value.to_string(), str::to_owned))
                    .collect();
                lines.push(format!(
                    "{VALUE_LINE}{}`: {description}",
                    names.join("`, `")
                ));
            }
            values.extend(constants);
        }
        object.remove(key);
        if values.iter().all(Value::is_string) {
            object.insert("type".to_owned(), json!("string"));
        }
        object.insert("enum".to_owned(), Value::Array(values));
        if !lines.is_empty() {
            let own = object.get("description").and_then(Value::as_str);
            let own = own.into_iter().map(str::to_owned);
            let all: Vec<_> = own.chain(lines).collect();
            object.insert("description".to_owned(), all.join("\n").into());
        }
    }
}
