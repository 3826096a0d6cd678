//! Values that a schema allows.

use serde_json::{Map, Value, json};

/// Returns valid parameters, as far as the schema describes them.
pub(crate) fn sample(schema: &Value) -> Option<Value> {
    let mut params = Map::new();
    for name in required(schema) {
        params.insert(name.to_owned(), sample_of(&schema["properties"][name])?);
    }
    Some(Value::Object(params))
}

/// Returns the names of the parameters that a call must have.
pub(crate) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    let names = schema["required"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str)
}

/// Returns a value that the schema allows; none if it does not say enough.
pub(crate) fn sample_of(schema: &Value) -> Option<Value> {
    for key in ["default", "const"] {
        if let Some(value) = schema.get(key) {
            return Some(value.clone());
        }
    }
    for key in ["examples", "enum"] {
        if let Some(value) = schema[key].get(0) {
            return Some(value.clone());
        }
    }
    match schema["type"].as_str()? {
        "string" if schema.get("pattern").is_none() && schema.get("format").is_none() => {
            let shortest = schema["minLength"].as_u64().unwrap_or(1).max(1);
            Some("a".repeat(usize::try_from(shortest).ok()?).into())
        }
        "integer" | "number" => Some(schema.get("minimum").cloned().unwrap_or_else(|| 1.into())),
        "boolean" => Some(false.into()),
        "array" => Some(json!([])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_what_is_required_and_nothing_else() {
        let schema = json!({
            "properties": {
                "query": { "type": "string", "minLength": 3 },
                "state": { "enum": ["open", "closed"] },
                "limit": { "type": "integer", "minimum": 5 },
                "deep": { "type": "boolean" },
            },
            "required": ["query", "state", "limit"],
        });
        assert_eq!(
            sample(&schema).unwrap(),
            json!({ "query": "aaa", "state": "open", "limit": 5 })
        );
        let odd = json!({ "properties": { "at": { "type": "string", "format": "date" } }, "required": ["at"] });
        assert_eq!(sample(&odd), None);
        assert_eq!(sample(&json!({})).unwrap(), json!({}));
    }
}
