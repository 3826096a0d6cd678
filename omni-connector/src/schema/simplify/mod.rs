//! Simplifies a schema for the manager and for language models, which accept less than JSON Schema allows.
//!
//! The simplified schema admits every value that the type serializes to. It can admit more than decoding does:
//! the manager refuses alternatives at the top, so they are merged into one object with the properties of all of them.

mod alternative;
mod merge;
mod null;
mod number;

use serde_json::{Map, Value, json};

use alternative::{collapse_enum, lift_only_alternative};
use merge::merge_top;
use null::fold_null;
use number::{plain_numbers, shorten_singles};

type Schema = Map<String, Value>;

/// Marks a document reference until its position is known to be one that the manager rewrites.
pub(crate) const DOCUMENT_MARK: &str = "x-omni-document";

/// Marks an optional property whose null has a meaning: see [`Null::Meant`].
pub(crate) const NULL_MARK: &str = "x-omni-null";

/// The property names whose value the manager rewrites from Omni's document id to the source's (`protocol.md` §6.4).
pub(crate) const DOCUMENT_NAMES: [&str; 2] = ["document_id", "file_id"];

/// Simplifies the schema of an action's input into the form that Omni accepts: an object at the top, references
/// resolved, no `null` next to another type, and enums as lists that keep their descriptions.
///
/// [`check_input_schema`](super::check_input_schema) reports what Omni refuses in a schema that was written by hand.
#[must_use]
pub fn safe_schema(schema: Value) -> Value {
    let mut schema = match safe_part(schema, Null::Noise) {
        Value::Object(schema) => merge_top(schema),
        _ => Schema::new(),
    };
    schema.entry("type").or_insert_with(|| json!("object"));
    if schema["type"] == "object" {
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    unmark_documents(&mut schema);
    Value::Object(schema)
}

/// Simplifies the schema of one value within an input, which may have any type.
pub(crate) fn safe_part(mut schema: Value, null: Null) -> Value {
    simplify(&mut schema, null);
    schema
}

/// Drops the marks of document references in working positions. Validation before registering reports the others.
pub(crate) fn unmark_documents(schema: &mut Schema) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for name in DOCUMENT_NAMES {
        if let Some(Value::Object(property)) = properties.get_mut(name) {
            property.remove(DOCUMENT_MARK);
        }
    }
}

/// The meaning of null at one position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Null {
    /// The same as an absent value.
    Noise,
    /// The only way to express an absent value, as in a list.
    Meant,
}

/// Simplifies a schema and all schemas in it. Property names are not keywords, so the walk distinguishes maps of
/// properties from schemas.
fn simplify(schema: &mut Value, null: Null) {
    if *schema == Value::Bool(true) {
        *schema = json!({});
    }
    let Value::Object(object) = schema else {
        return;
    };
    object.remove("$schema");
    object.remove("title");
    if let Some(constant) = object.remove("const") {
        object.insert("enum".to_owned(), json!([constant]));
    }
    if object
        .get("not")
        .is_some_and(|not| *not == json!({ "const": 0 }))
    {
        // Rust's non-zero integers. The manager does not support `not`, and decoding refuses zero.
        object.remove("not");
    }
    shorten_singles(object);
    plain_numbers(object);
    let required = object.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| {
        let names = required.as_array();
        names.is_some_and(|names| names.iter().any(|required| required == name))
    };
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (name, property) in properties {
            let marked = property.as_object_mut().and_then(|of| of.remove(NULL_MARK));
            let null = if marked.is_some() || is_required(name) {
                Null::Meant
            } else {
                Null::Noise
            };
            simplify(property, null);
        }
    }
    if let Some(Value::Object(schemas)) = object.get_mut("patternProperties") {
        let schemas = schemas.values_mut();
        schemas.for_each(|schema| simplify(schema, Null::Meant));
    }
    for key in [
        "items",
        "contains",
        "propertyNames",
        "additionalProperties",
        "unevaluatedProperties",
    ] {
        // Here `true` is the keyword's form of "anything".
        if let Some(inner @ Value::Object(_)) = object.get_mut(key) {
            simplify(inner, Null::Meant);
        }
    }
    for (key, null) in [
        ("anyOf", null),
        ("oneOf", null),
        ("allOf", null),
        ("prefixItems", Null::Meant),
    ] {
        if let Some(Value::Array(schemas)) = object.get_mut(key) {
            let schemas = schemas.iter_mut();
            schemas.for_each(|schema| simplify(schema, null));
        }
    }
    fold_null(object, null);
    lift_only_alternative(object);
    collapse_enum(object);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::check_input_schema;

    fn properties(of: Value) -> Value {
        safe_schema(json!({ "type": "object", "properties": of }))["properties"].take()
    }

    #[test]
    fn an_optional_value_is_not_null() {
        let found = properties(json!({
            "a": { "type": ["string", "null"], "default": null },
            "b": { "anyOf": [{ "type": "object", "properties": {} }, { "type": "null" }], "description": "own words" },
        }));
        assert_eq!(
            found,
            json!({
                "a": { "type": "string" },
                "b": { "type": "object", "properties": {}, "description": "own words" },
            })
        );
    }

    #[test]
    fn null_stays_where_a_value_cannot_be_omitted() {
        let found = properties(json!({
            "list": { "type": "array", "items": { "type": ["integer", "null"] } },
            "levels": { "type": "array", "items": { "anyOf": [
                { "type": "string", "enum": ["low"], "description": "How much." }, { "type": "null" },
            ] } },
            "map": { "type": "object", "additionalProperties": { "anyOf": [{ "type": "object" }, { "type": "null" }] } },
        }));
        assert_eq!(
            found["list"]["items"],
            json!({ "type": ["integer", "null"] })
        );
        assert_eq!(
            found["levels"]["items"],
            json!({ "type": ["string", "null"], "enum": ["low", null], "description": "How much." })
        );
        assert_eq!(
            found["map"]["additionalProperties"],
            json!({ "type": ["object", "null"] })
        );
    }

    #[test]
    fn an_enum_is_a_list_and_its_words_are_kept() {
        let found = properties(json!({
            "a": { "oneOf": [
                { "const": "low", "type": "string", "description": "Can wait." },
                { "enum": ["high", "urgent"], "type": "string" },
            ] },
            "b": { "description": "own words", "anyOf": [
                { "oneOf": [
                    { "const": "low", "type": "string", "description": "Can wait." },
                    { "const": "high", "type": "string" },
                ], "description": "How much." },
                { "type": "null" },
            ] },
        }));
        assert_eq!(
            found,
            json!({
                "a": { "type": "string", "enum": ["low", "high", "urgent"], "description": "- `low`: Can wait." },
                "b": { "type": "string", "enum": ["low", "high"], "description": "own words\n- `low`: Can wait." },
            })
        );
    }

    #[test]
    fn number_types_become_limits() {
        let found = properties(json!({
            "a": { "type": "integer", "format": "int32" },
            "b": { "type": "integer", "format": "uint8", "minimum": 1, "maximum": 255 },
            "c": { "type": "integer", "format": "uint64", "minimum": 0 },
            "d": { "type": "number", "format": "double" },
            "e": { "type": "string", "format": "uri" },
            "f": { "type": ["integer", "null"], "format": "uint32", "minimum": 0 },
            "g": { "type": "array", "items": { "type": "number", "format": "float" } },
            "h": { "type": "object", "additionalProperties": { "type": "integer", "format": "int8" } },
            "format": { "type": "object", "properties": { "format": { "type": "integer", "format": "int16" } } },
        }));
        assert_eq!(
            found,
            json!({
                "a": { "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX },
                "b": { "type": "integer", "minimum": 1, "maximum": 255 },
                "c": { "type": "integer", "minimum": 0 },
                "d": { "type": "number" },
                "e": { "type": "string", "format": "uri" },
                "f": { "type": "integer", "minimum": 0, "maximum": u32::MAX },
                "g": { "type": "array", "items": { "type": "number" } },
                "h": { "type": "object", "additionalProperties": { "type": "integer", "minimum": i8::MIN, "maximum": i8::MAX } },
                "format": { "type": "object", "properties": { "format": { "type": "integer", "minimum": i16::MIN, "maximum": i16::MAX } } },
            })
        );
    }

    #[test]
    fn alternatives_at_the_top_become_one_object() {
        let schema = safe_schema(json!({ "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "a" }, "x": { "type": "integer" } },
              "required": ["kind", "x"], "description": "By number." },
            { "type": "object", "properties": { "kind": { "const": "b" }, "y": { "type": "string" } }, "required": ["kind"] },
            { "type": "object", "properties": { "kind": { "const": "c" } }, "required": ["kind"], "description": "Not at all." },
            { "type": "string" },
        ] }));
        assert_eq!(
            schema,
            json!({
                "type": "object",
                "properties": {
                    "kind": { "type": "string", "enum": ["a", "b", "c"], "description": "- `a`: By number.\n- `c`: Not at all." },
                    "x": { "type": "integer" },
                    "y": { "type": "string" },
                },
                "required": ["kind"],
            })
        );
        assert_eq!(check_input_schema(&schema), Ok(()));
    }

    #[test]
    fn an_input_that_cannot_be_an_object_is_found_before_registering() {
        for schema in [
            json!({ "type": "string", "enum": ["a"] }),
            json!({ "type": "array", "items": {} }),
            json!({ "oneOf": [{ "type": "string" }, { "type": "array" }] }),
        ] {
            assert!(
                check_input_schema(&safe_schema(schema.clone())).is_err(),
                "{schema}"
            );
        }
    }

    #[test]
    fn two_schemas_with_the_same_keyword_are_not_merged() {
        let found = properties(
            json!({ "a": { "minLength": 1, "type": "string", "allOf": [{ "minLength": 2 }] } }),
        );
        assert_eq!(found["a"]["allOf"], json!([{ "minLength": 2 }]));
    }
}
