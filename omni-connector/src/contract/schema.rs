//! What the manager takes as an action's input schema (`protocol.md` §3.3), and how a schema is made to fit.

use serde_json::{Map, Value, json};

/// Keys that the manager refuses at any depth, be they keywords or names of properties.
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

/// Keys that it refuses at the top.
const REFUSED_AT_TOP: [&str; 3] = ["anyOf", "oneOf", "allOf"];

/// A schema that the manager would refuse, and the whole connector with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("input_schema{path} {problem}")]
pub struct SchemaError {
    path: String,
    problem: String,
}

/// Whether the manager takes `schema` as an action's input; its first objection otherwise, in its order and words.
///
/// # Errors
/// The first violation.
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

/// The schema in the form that the manager and language models take: an object at the top, no `null` noise, enums as
/// lists whose descriptions are kept.
///
/// Where the forms cannot say the same (alternatives at the top), the result admits more than the schema did; decoding
/// still refuses what the type refuses.
pub(crate) fn safe_schema(mut schema: Value) -> Value {
    simplify(&mut schema);
    let mut schema = match schema {
        Value::Object(object) => merge_top(object),
        _ => Map::new(),
    };
    schema.entry("type").or_insert_with(|| json!("object"));
    if schema["type"] == "object" {
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    Value::Object(schema)
}

fn is_null(schema: &Value) -> bool {
    schema["type"] == "null" || schema["const"].is_null() && schema.get("const").is_some()
}

/// Simplifies a schema and all schemas in it. Names of properties are not keywords, so the walk knows which maps hold what.
fn simplify(schema: &mut Value) {
    let Value::Object(object) = schema else {
        return;
    };
    object.remove("$schema");
    object.remove("title");
    // Names of Rust's number types; JSON Schema knows no such formats.
    if object
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(is_rust_number)
    {
        object.remove("format");
    }
    for key in ["properties", "patternProperties"] {
        if let Some(Value::Object(schemas)) = object.get_mut(key) {
            schemas.values_mut().for_each(simplify);
        }
    }
    for key in [
        "items",
        "additionalProperties",
        "propertyNames",
        "contains",
        "unevaluatedProperties",
    ] {
        if let Some(inner) = object.get_mut(key) {
            simplify(inner);
        }
    }
    for key in ["anyOf", "oneOf", "allOf", "prefixItems"] {
        if let Some(Value::Array(schemas)) = object.get_mut(key) {
            schemas.iter_mut().for_each(simplify);
        }
    }
    drop_null(object);
    collapse_enum(object);
    if let Some(inner) = only_alternative(object) {
        // The outer words are the field's own, those of the type come second.
        for (key, value) in inner {
            object.entry(key).or_insert(value);
        }
    }
}

fn is_rust_number(format: &str) -> bool {
    format.starts_with("int")
        || format.starts_with("uint")
        || format == "float"
        || format == "double"
}

/// An optional value is left out rather than null.
fn drop_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &mut types[..] {
            let only = only.take();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(Value::Array(schemas)) = object.get_mut(key) {
            schemas.retain(|schema| !is_null(schema));
        }
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
}

/// The one schema that is left of `anyOf`, `oneOf` or `allOf`, taken out.
fn only_alternative(object: &mut Map<String, Value>) -> Option<Map<String, Value>> {
    let key = ["anyOf", "oneOf", "allOf"].into_iter().find(|key| {
        object
            .get(*key)
            .and_then(Value::as_array)
            .is_some_and(|schemas| schemas.len() == 1)
    })?;
    match object.remove(key)?[0].take() {
        Value::Object(inner) => Some(inner),
        _ => None,
    }
}

/// Alternatives that are all constants or lists of constants become one list; their descriptions become lines.
fn collapse_enum(object: &mut Map<String, Value>) {
    for key in ["oneOf", "anyOf"] {
        let Some(Value::Array(alternatives)) = object.get(key) else {
            continue;
        };
        let mut values = Vec::new();
        let mut lines = Vec::new();
        for alternative in alternatives {
            let constants = match (alternative.get("const"), alternative.get("enum")) {
                (Some(value), _) => vec![value.clone()],
                (None, Some(Value::Array(values))) => values.clone(),
                _ => return,
            };
            if let Some(description) = alternative["description"].as_str() {
                let names: Vec<_> = constants
                    .iter()
                    .map(|value| value.as_str().map_or(value.to_string(), str::to_owned))
                    .collect();
                lines.push(format!("- `{}`: {description}", names.join("`, `")));
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
            let all = own
                .into_iter()
                .map(str::to_owned)
                .chain(lines)
                .collect::<Vec<_>>()
                .join("\n");
            object.insert("description".to_owned(), all.into());
        }
    }
}

/// Alternatives at the top, which the manager refuses, become one object that admits all of them.
fn merge_top(mut object: Map<String, Value>) -> Map<String, Value> {
    for (key, all_hold) in [("allOf", true), ("anyOf", false), ("oneOf", false)] {
        let Some(Value::Array(parts)) = object.remove(key) else {
            continue;
        };
        let parts: Vec<_> = parts
            .into_iter()
            .filter_map(|part| part.as_object().cloned())
            .map(merge_top)
            .collect();
        let required_by = |part: &Map<String, Value>| -> Vec<String> {
            let names = part.get("required").and_then(Value::as_array);
            names
                .into_iter()
                .flatten()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect()
        };
        let mut required = required_by(&object);
        for name in parts.iter().flat_map(required_by) {
            let everywhere = all_hold || parts.iter().all(|part| required_by(part).contains(&name));
            if everywhere && !required.contains(&name) {
                required.push(name);
            }
        }
        let mut properties = object
            .remove("properties")
            .and_then(|value| value.as_object().cloned())
            .unwrap_or_default();
        let mut open = object.get("additionalProperties").cloned();
        for part in parts {
            if let Some(Value::Object(more)) = part.get("properties") {
                for (name, schema) in more.clone() {
                    let merged = match properties.remove(&name) {
                        Some(earlier) if earlier != schema => either(earlier, schema),
                        _ => schema,
                    };
                    properties.insert(name, merged);
                }
            }
            if let Some(more) = part
                .get("additionalProperties")
                .filter(|more| **more != Value::Bool(false))
            {
                open = Some(more.clone());
            } else if open == Some(Value::Bool(false)) && part.get("additionalProperties").is_none()
            {
                open = None;
            }
        }
        object.insert("type".to_owned(), json!("object"));
        object.insert("properties".to_owned(), Value::Object(properties));
        match open {
            Some(open) => drop(object.insert("additionalProperties".to_owned(), open)),
            None => drop(object.remove("additionalProperties")),
        }
        if required.is_empty() {
            object.remove("required");
        } else {
            object.insert("required".to_owned(), json!(required));
        }
    }
    object
}

/// One of two schemas of a property; constants of a tag become a list.
fn either(a: Value, b: Value) -> Value {
    let mut both = json!({ "anyOf": match a {
        Value::Object(mut object) if object.len() == 1 && object.contains_key("anyOf") => {
            let mut schemas = object.remove("anyOf").and_then(|value| value.as_array().cloned()).unwrap_or_default();
            schemas.push(b);
            schemas
        }
        a => vec![a, b],
    } });
    if let Value::Object(object) = &mut both {
        collapse_enum(object);
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_objection_is_the_managers() {
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

    #[test]
    fn an_optional_value_is_not_null() {
        let schema = safe_schema(json!({ "type": "object", "properties": {
            "a": { "type": ["string", "null"], "default": null },
            "b": { "anyOf": [{ "type": "object", "properties": {} }, { "type": "null" }], "description": "own words" },
        } }));
        assert_eq!(
            schema["properties"],
            json!({
                "a": { "type": "string" },
                "b": { "type": "object", "properties": {}, "description": "own words" },
            })
        );
    }

    #[test]
    fn an_enum_is_a_list_and_its_words_are_kept() {
        let schema = safe_schema(json!({ "type": "object", "properties": { "a": { "oneOf": [
            { "const": "low", "type": "string", "description": "Can wait." },
            { "enum": ["high", "urgent"], "type": "string" },
        ] } } }));
        assert_eq!(
            schema["properties"]["a"],
            json!({
                "type": "string", "enum": ["low", "high", "urgent"], "description": "- `low`: Can wait.",
            })
        );
    }

    #[test]
    fn alternatives_at_the_top_become_one_object() {
        let schema = safe_schema(json!({ "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "a" }, "x": { "type": "integer" } }, "required": ["kind", "x"] },
            { "type": "object", "properties": { "kind": { "const": "b" }, "y": { "type": "string" } }, "required": ["kind"] },
        ] }));
        assert_eq!(
            schema,
            json!({
                "type": "object",
                "properties": {
                    "kind": { "type": "string", "enum": ["a", "b"] },
                    "x": { "type": "integer" },
                    "y": { "type": "string" },
                },
                "required": ["kind"],
            })
        );
        assert_eq!(check_input_schema(&schema), Ok(()));
    }
}
