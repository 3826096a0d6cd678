//! The manager's rules for an action's input schema (`protocol.md` §3.3).

use serde_json::Value;

/// Keys that the manager refuses at any depth, as keywords and as property names.
pub const REFUSED_KEYS: [&str; 9] = [
    "$ref",
    "$defs",
    "definitions",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "then",
    "else",
    "not",
];

/// Keys that the manager refuses at the top level.
pub(super) const REFUSED_AT_TOP: [&str; 3] = ["anyOf", "oneOf", "allOf"];

/// A violation for which the manager would refuse the schema and the whole connector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("input_schema{path} {problem}")]
pub struct SchemaError {
    path: String,
    problem: String,
}

impl SchemaError {
    /// Reports a problem with the part of the schema at `path`; an empty path is the whole schema.
    #[cfg(feature = "mcp")]
    pub(super) fn at(path: &str, problem: &str) -> Self {
        Self {
            path: path.to_owned(),
            problem: problem.to_owned(),
        }
    }
}

/// Checks whether the manager accepts `schema` as an action's input, in the manager's order and wording.
///
/// # Errors
/// Returns the first violation.
pub fn check_input_schema(schema: &Value) -> Result<(), SchemaError> {
    let refuse = |path: &str, problem: &str| {
        Err(SchemaError {
            path: path.to_owned(),
            problem: problem.to_owned(),
        })
    };
    let Some(object) = schema.as_object() else {
        return refuse("", "must be a JSON object");
    };
    for key in REFUSED_AT_TOP {
        if object.contains_key(key) {
            return refuse(&format!(".{key}"), "is not supported at the top level");
        }
    }
    if object.get("type").is_some_and(|kind| kind != "object") {
        return refuse(".type", "must be \"object\"");
    }
    walk(schema, String::new())
}

fn walk(value: &Value, path: String) -> Result<(), SchemaError> {
    match value {
        Value::Object(object) => {
            let mut keys: Vec<_> = object.keys().collect();
            keys.sort_unstable();
            if let Some(key) = REFUSED_KEYS.iter().find(|key| object.contains_key(**key)) {
                return Err(SchemaError {
                    path: format!("{path}.{key}"),
                    problem: "is not supported".to_owned(),
                });
            }
            keys.into_iter()
                .try_for_each(|key| walk(&object[key], format!("{path}.{key}")))
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| walk(item, format!("{path}[{index}]"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_violation_is_the_managers() {
        for (schema, expected) in [
            (json!([]), Some("input_schema must be a JSON object")),
            (json!({}), None),
            (
                json!({ "type": "array" }),
                Some("input_schema.type must be \"object\""),
            ),
            (
                json!({ "properties": { "a": { "anyOf": [{}, { "$ref": "#" }] } } }),
                Some("input_schema.properties.a.anyOf[1].$ref is not supported"),
            ),
            (
                json!({ "properties": { "not": {} } }),
                Some("input_schema.properties.not is not supported"),
            ),
            (json!({ "properties": { "a": { "oneOf": [] } } }), None),
        ] {
            let found = check_input_schema(&schema)
                .err()
                .map(|error| error.to_string());
            assert_eq!(found.as_deref(), expected, "{schema}");
        }
    }
}
