//! Simplifies a schema for the manager and for language models, which accept less than JSON Schema allows.
//!
//! The simplified schema admits every value that the type serializes to. It can admit more than decoding does:
//! the manager refuses alternatives at the top, so they are merged into one object with the properties of all of them.

mod merge;

use serde_json::{Map, Value, json};

use merge::merge_top;

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
    for key in ["items", "additionalProperties", "unevaluatedProperties"] {
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

/// Writes single-precision defaults and examples with their original digits: 0.1, not 0.10000000149011612.
fn shorten_singles(object: &mut Schema) {
    for key in ["default", "examples"] {
        let Some(mut value) = object.remove(key) else {
            continue;
        };
        match (&mut value, key) {
            (Value::Array(examples), "examples") => {
                for example in examples {
                    shorten(example, object);
                }
            }
            (value, _) => shorten(value, object),
        }
        object.insert(key.to_owned(), value);
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the number was of single precision before JSON made it a double"
)]
fn shorten(value: &mut Value, schema: &Schema) {
    let inner = |key: &str, index: usize| match schema.get(key)? {
        Value::Array(schemas) => schemas.get(index)?.as_object(),
        other => other.as_object(),
    };
    match value {
        Value::Number(number) if schema.get("format").is_some_and(|format| format == "float") => {
            let digits = number.as_f64().map(|double| (double as f32).to_string());
            if let Some(short) = digits.and_then(|digits| digits.parse::<f64>().ok())
                && number.is_f64()
            {
                *value = json!(short);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let of_item = inner("prefixItems", index).or_else(|| inner("items", 0));
                if let Some(of_item) = of_item {
                    shorten(item, of_item);
                }
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let named = inner("properties", 0).and_then(|named| named.get(name)?.as_object());
                if let Some(of_field) = named.or_else(|| inner("additionalProperties", 0)) {
                    shorten(field, of_field);
                }
            }
        }
        _ => {}
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        let alternatives = schema.get(key).and_then(Value::as_array);
        for alternative in alternatives
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
        {
            shorten(value, alternative);
        }
    }
}

/// Replaces Rust's number formats, which JSON Schema does not define, by limits. Decoding checks 64 bits and more,
/// because most readers would round such numbers.
fn plain_numbers(object: &mut Schema) {
    let Some(format) = object.get("format").and_then(Value::as_str) else {
        return;
    };
    let (least, most) = match format {
        "int8" => (json!(i8::MIN), json!(i8::MAX)),
        "int16" => (json!(i16::MIN), json!(i16::MAX)),
        "int32" => (json!(i32::MIN), json!(i32::MAX)),
        "uint8" => (json!(0), json!(u8::MAX)),
        "uint16" => (json!(0), json!(u16::MAX)),
        "uint32" => (json!(0), json!(u32::MAX)),
        "int" | "int64" | "int128" | "float" | "double" => (Value::Null, Value::Null),
        "uint" | "uint64" | "uint128" => (json!(0), Value::Null),
        _ => return,
    };
    object.remove("format");
    for (key, limit) in [("minimum", least), ("maximum", most)] {
        if !limit.is_null() {
            object.entry(key).or_insert(limit);
        }
    }
}

fn is_null(schema: &Value) -> bool {
    schema["type"] == "null" || schema["enum"] == json!([null])
}

/// Drops redundant nulls and moves meaningful ones into the only other alternative.
fn fold_null(object: &mut Schema, null: Null) {
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(schemas)) = object.get_mut(key) else {
            continue;
        };
        let others = schemas.iter().filter(|schema| !is_null(schema)).count();
        if others == 0 || others == schemas.len() {
            continue;
        }
        if null == Null::Meant && (others > 1 || !schemas.iter_mut().all(admit_null)) {
            continue;
        }
        schemas.retain(|schema| !is_null(schema));
    }
    if null == Null::Meant {
        return;
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &mut types[..] {
            let only = only.take();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum")
        && values.len() > 1
    {
        values.retain(|value| !value.is_null());
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
}

/// Makes a schema admit null, if it has a keyword for it. Returns whether it does.
fn admit_null(schema: &mut Value) -> bool {
    let Value::Object(object) = schema else {
        return false;
    };
    if ["anyOf", "oneOf", "allOf"]
        .iter()
        .any(|key| object.contains_key(*key))
    {
        return false;
    }
    match object.get_mut("type") {
        Some(Value::Array(types)) if types.contains(&json!("null")) => {}
        Some(Value::Array(types)) => types.push(json!("null")),
        Some(kind) if *kind != "null" => *kind = json!([kind.take(), "null"]),
        Some(_) => {}
        None => return false,
    }
    if let Some(Value::Array(values)) = object.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    true
}

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
fn lift_only_alternative(object: &mut Schema) {
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
fn collapse_enum(object: &mut Schema) {
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
        }));
        assert_eq!(
            found,
            json!({
                "a": { "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX },
                "b": { "type": "integer", "minimum": 1, "maximum": 255 },
                "c": { "type": "integer", "minimum": 0 },
                "d": { "type": "number" },
                "e": { "type": "string", "format": "uri" },
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
