//! Repairs keywords whose value a foreign schema wrote in another type. A provider of language models refuses such a
//! schema, and all other tools with it. A keyword without a meaning is dropped, so the schema admits more.

use serde_json::{Map, Value, json};

const KINDS: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];

/// Repairs the keywords of one schema, but not those of the schemas in it.
pub(super) fn repair(schema: &mut Map<String, Value>) {
    for (bound, exclusive) in [
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ] {
        // An early version of JSON Schema says so with a boolean.
        if schema.get(exclusive) == Some(&Value::Bool(true))
            && let Some(limit) = schema.remove(bound)
        {
            schema.insert(exclusive.to_owned(), limit);
        }
    }
    schema.retain(|keyword, value| match keyword.as_str() {
        "type" => kinds(value),
        "required" => names(value),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            value.is_number()
        }
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            value.is_u64()
        }
        "pattern" | "format" | "description" | "title" => value.is_string(),
        "enum" | "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
            value.as_array().is_some_and(|list| !list.is_empty())
        }
        "examples" => value.is_array(),
        "uniqueItems" | "deprecated" | "readOnly" | "writeOnly" => value.is_boolean(),
        "properties" | "patternProperties" => schemas(value),
        "items" => value.is_object() || value.is_boolean() || value.is_array(),
        "additionalProperties" => value.is_object() || value.is_boolean(),
        _ => true,
    });
}

/// Keeps the types that JSON has, in small letters. Returns whether there is one.
fn kinds(value: &mut Value) -> bool {
    let known = |kind: &Value| {
        let kind = kind.as_str()?.to_ascii_lowercase();
        KINDS.contains(&&*kind).then_some(Value::String(kind))
    };
    match value {
        Value::Array(kinds) => {
            let mut kept: Vec<Value> = Vec::new();
            for kind in kinds.iter().filter_map(known) {
                if !kept.contains(&kind) {
                    kept.push(kind);
                }
            }
            *kinds = kept;
            !kinds.is_empty()
        }
        kind => known(kind).map(|known| *kind = known).is_some(),
    }
}

/// Keeps the names in a list. Returns whether it is one.
fn names(value: &mut Value) -> bool {
    let Value::Array(names) = value else {
        return false;
    };
    names.retain(Value::is_string);
    true
}

/// Makes each schema that is neither an object nor a boolean admit everything. Returns whether these are named.
fn schemas(value: &mut Value) -> bool {
    let Value::Object(schemas) = value else {
        return false;
    };
    for schema in schemas.values_mut() {
        if !(schema.is_object() || schema.is_boolean()) {
            *schema = json!({});
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_of_another_type_is_repaired_or_dropped() {
        for (written, expected) in [
            (json!({ "type": "STRING" }), json!({ "type": "string" })),
            (
                json!({ "type": ["String", null, "string", "null"] }),
                json!({ "type": ["string", "null"] }),
            ),
            (json!({ "type": [] }), json!({})),
            (json!({ "type": 7 }), json!({})),
            (json!({ "type": "file" }), json!({})),
            (json!({ "required": true }), json!({})),
            (json!({ "required": "a" }), json!({})),
            (
                json!({ "required": ["a", 7] }),
                json!({ "required": ["a"] }),
            ),
            (json!({ "enum": [], "anyOf": {}, "oneOf": [] }), json!({})),
            (json!({ "enum": "x" }), json!({})),
            (
                json!({ "minimum": "3", "maxLength": -1, "pattern": 7 }),
                json!({}),
            ),
            (
                json!({ "minimum": 3, "exclusiveMinimum": true }),
                json!({ "exclusiveMinimum": 3 }),
            ),
            (
                json!({ "maximum": 3, "exclusiveMaximum": false }),
                json!({ "maximum": 3 }),
            ),
            (json!({ "properties": [], "items": "x" }), json!({})),
            (
                json!({ "properties": { "a": "string", "b": true } }),
                json!({ "properties": { "a": {}, "b": true } }),
            ),
            (
                json!({ "type": "object", "description": "Some", "default": 7, "x-own": [1] }),
                json!({ "type": "object", "description": "Some", "default": 7, "x-own": [1] }),
            ),
        ] {
            let mut schema = written.as_object().unwrap().clone();
            repair(&mut schema);
            assert_eq!(Value::Object(schema), expected, "{written}");
        }
    }
}
