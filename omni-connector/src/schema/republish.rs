//! Converts a foreign schema into the form that the manager accepts: references inlined, refused keywords dropped.
//!
//! The result admits at least everything that the original admits; its server still refuses the rest. A recursive schema
//! becomes open at the point of recursion, and at a reference that it does not hold. A schema that needs a refused name
//! is an error.

use serde_json::{Map, Value, json};

use super::{
    input::{REFUSED_KEYS, SchemaError, check_input_schema},
    keywords::repair,
    simplify::safe_schema,
};

type Schema = Map<String, Value>;

/// The node limit: inlining can grow a schema almost endlessly, and no language model reads one of this size.
const MOST_NODES: usize = 20_000;

/// Keywords whose values map names to schemas.
const MAPS: [&str; 2] = ["properties", "patternProperties"];
/// Keywords whose value is one schema.
const SCHEMAS: [&str; 9] = [
    "items",
    "additionalItems",
    "additionalProperties",
    "propertyNames",
    "contains",
    "contentSchema",
    "unevaluatedItems",
    "unevaluatedProperties",
    "extends",
];
/// Keywords whose value is a list of schemas.
const LISTS: [&str; 5] = ["anyOf", "oneOf", "allOf", "prefixItems", "items"];
/// Keywords whose value is data that an input must equal.
const DATA: [&str; 2] = ["const", "enum"];
/// Keywords that have no effect once references are inlined.
const IDENTITY: [&str; 8] = [
    "$schema",
    "$id",
    "id",
    "$anchor",
    "$comment",
    "$vocabulary",
    "$dynamicAnchor",
    "$recursiveAnchor",
];

/// Converts a tool's input schema into the form that the manager accepts.
///
/// # Errors
/// Returns an error if a property has a name that the manager refuses.
pub(crate) fn republished_schema(schema: Value) -> Result<Value, SchemaError> {
    let root = schema.clone();
    let mut inliner = Inliner {
        root: &root,
        open: Vec::new(),
        nodes: 0,
    };
    let mut schema = match inliner.schema(schema)? {
        Value::Object(schema) => schema,
        // `true` admits every input.
        Value::Bool(true) | Value::Null => Schema::new(),
        _ => return Err(SchemaError::at("", "must be a JSON object")),
    };
    if LISTS.iter().take(3).any(|key| schema.contains_key(*key)) {
        schema = match safe_schema(Value::Object(schema)) {
            Value::Object(schema) => schema,
            _ => Schema::new(),
        };
    }
    let may_be_object = match schema.get("type") {
        None => true,
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        Some(_) => false,
    };
    if may_be_object {
        schema.insert("type".to_owned(), json!("object"));
    }
    schema.entry("properties").or_insert_with(|| json!({}));
    let schema = Value::Object(schema);
    check_input_schema(&schema)?;
    Ok(schema)
}

struct Inliner<'r> {
    root: &'r Value,
    /// The schemas being inlined, to detect recursion.
    open: Vec<Value>,
    nodes: usize,
}

impl Inliner<'_> {
    fn schema(&mut self, schema: Value) -> Result<Value, SchemaError> {
        let Value::Object(mut schema) = schema else {
            return Ok(schema);
        };
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(SchemaError::at(
                "",
                "is too large once its references are inlined",
            ));
        }
        repair(&mut schema);
        let references = ["$ref", "$dynamicRef", "$recursiveRef"];
        let reference = references.into_iter().find_map(|key| schema.remove(key));
        for key in REFUSED_KEYS.iter().chain(&IDENTITY) {
            schema.remove(*key);
        }
        // All other keywords admit the same inputs without their value: notes, and definitions that were inlined.
        schema.retain(|key, value| {
            let key = key.as_str();
            let is_kept = MAPS.contains(&key)
                || LISTS.contains(&key)
                || SCHEMAS.contains(&key)
                || DATA.contains(&key);
            is_kept || !holds_refused(value)
        });
        for key in MAPS {
            if let Some(Value::Object(schemas)) = schema.get_mut(key) {
                for inner in schemas.values_mut() {
                    *inner = self.schema(inner.take())?;
                }
            }
        }
        for key in LISTS {
            if let Some(Value::Array(schemas)) = schema.get_mut(key) {
                for inner in schemas {
                    *inner = self.schema(inner.take())?;
                }
            }
        }
        for key in SCHEMAS {
            if let Some(inner @ Value::Object(_)) = schema.get_mut(key) {
                *inner = self.schema(inner.take())?;
            }
        }
        match reference {
            Some(Value::String(reference)) => self.inlined(reference, schema),
            // A reference that is not a string refers to nothing.
            _ => Ok(Value::Object(schema)),
        }
    }

    /// Inlines the target of `reference` and keeps the annotations next to it. Recursion admits any value of its kind.
    fn inlined(&mut self, reference: String, beside: Schema) -> Result<Value, SchemaError> {
        // Another document, which nobody fetches, or a definition that its generator forgot.
        let Some(target) = self.target(&reference).cloned() else {
            tracing::debug!("a schema refers to `{reference}`, which it does not hold");
            return Ok(Value::Object(beside));
        };
        let target = if self.open.contains(&target) || target == *self.root {
            match &target["type"] {
                Value::String(kind) => json!({ "type": kind }),
                _ => json!({}),
            }
        } else {
            self.open.push(target.clone());
            let inlined = self.schema(target)?;
            self.open.pop();
            inlined
        };
        if beside.is_empty() {
            return Ok(target);
        }
        let Value::Object(mut schema) = target else {
            return Ok(Value::Object(beside));
        };
        schema.extend(beside);
        Ok(Value::Object(schema))
    }

    /// Resolves a reference by path, by anchor, or by `$id`.
    fn target(&self, reference: &str) -> Option<&Value> {
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let document = if document.is_empty() {
            self.root
        } else {
            find(self.root, &|schema| {
                let id = schema.get("$id").or_else(|| schema.get("id"));
                id.and_then(Value::as_str)
                    .is_some_and(|id| id.trim_end_matches('#') == document)
            })?
        };
        let fragment = percent_encoding::percent_decode_str(fragment)
            .decode_utf8()
            .ok()?;
        if fragment.is_empty() || fragment.starts_with('/') {
            return document.pointer(&fragment);
        }
        find(document, &|schema| {
            let anchors = ["$anchor", "$dynamicAnchor"];
            let is_anchor = |key: &&str| schema.get(*key) == Some(&json!(fragment));
            let id = schema.get("$id").or_else(|| schema.get("id"));
            anchors.iter().any(is_anchor)
                || id
                    .and_then(Value::as_str)
                    .is_some_and(|id| id.strip_prefix('#') == Some(&*fragment))
        })
    }
}

/// Returns the first object within `value` that satisfies `is_it`.
fn find<'v>(value: &'v Value, is_it: &impl Fn(&Schema) -> bool) -> Option<&'v Value> {
    match value {
        Value::Object(object) if is_it(object) => Some(value),
        Value::Object(object) => object.values().find_map(|inner| find(inner, is_it)),
        Value::Array(items) => items.iter().find_map(|inner| find(inner, is_it)),
        _ => None,
    }
}

/// Returns whether data contains a key that the manager treats as a keyword.
fn holds_refused(value: &Value) -> bool {
    match value {
        Value::Object(object) => object
            .iter()
            .any(|(key, value)| REFUSED_KEYS.contains(&key.as_str()) || holds_refused(value)),
        Value::Array(items) => items.iter().any(holds_refused),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inlined_references_keep_the_annotations_next_to_them() {
        let schema = republished_schema(json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {
                "from": { "$ref": "#/$defs/Point", "description": "Where to begin" },
                "to": { "$ref": "#/definitions/far~1away" },
                "via": { "type": "array", "items": { "$ref": "#/properties/from" } },
            },
            "$defs": { "Point": { "type": "object", "properties": { "x": { "$ref": "#/$defs/Int" } }, "description": "A point" }, "Int": { "type": "integer" } },
            "definitions": { "far/away": { "type": "string" } },
        }))
        .unwrap();
        let point = json!({ "type": "object", "properties": { "x": { "type": "integer" } }, "description": "Where to begin" });
        assert_eq!(
            schema,
            json!({ "type": "object", "properties": {
                "from": point, "to": { "type": "string" }, "via": { "type": "array", "items": point },
            } })
        );
    }

    #[test]
    fn refused_keywords_are_dropped_wherever_they_are_keywords() {
        let schema = republished_schema(json!({
            "properties": {
                "a": { "type": "string", "not": { "const": "" }, "examples": [{ "if": 1 }], "default": "x" },
                "b": { "anyOf": [{ "if": {}, "then": {}, "else": {} }, { "type": "null" }] },
            },
            "dependentRequired": { "a": ["b"] },
            "dependentSchemas": { "a": {} },
        }))
        .unwrap();
        assert_eq!(
            schema,
            json!({ "type": "object", "properties": {
                "a": { "type": "string", "default": "x" }, "b": { "anyOf": [{}, { "type": "null" }] },
            } })
        );
    }

    #[test]
    fn a_schema_that_cannot_be_converted_is_an_error() {
        for (schema, problem) in [
            (
                json!({ "properties": { "not": { "type": "string" } } }),
                "properties.not is not supported",
            ),
            (
                json!({ "properties": { "a": { "const": { "if": 1 } } } }),
                "properties.a.const.if is not supported",
            ),
            (json!({ "type": "array" }), "must be \"object\""),
        ] {
            let error = republished_schema(schema.clone()).unwrap_err().to_string();
            assert!(error.contains(problem), "{schema}: {error}");
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends_open_where_the_circle_closes() {
        let tree = |of: Value| json!({ "type": "object", "properties": { "of": of } });
        let open = || json!({ "type": "object" });
        for (schema, expected) in [
            (
                json!({ "properties": { "a": { "$ref": "#/$defs/N" } }, "$defs": { "N": tree(json!({ "$ref": "#/$defs/N" })) } }),
                json!({ "a": tree(open()) }),
            ),
            (
                json!({ "properties": { "a": { "$ref": "#/$defs/N" } }, "$defs": {
                    "N": { "type": "array", "items": { "$ref": "#/$defs/M", "description": "Another" } },
                    "M": tree(json!({ "$ref": "#/$defs/N" })),
                } }),
                json!({ "a": { "type": "array", "items": { "type": "object", "properties": { "of": { "type": "array" } }, "description": "Another" } } }),
            ),
            (
                json!({ "type": "object", "properties": { "a": { "$ref": "#" } } }),
                json!({ "a": { "type": "object" } }),
            ),
            (
                json!({ "$id": "https://a.example/s", "type": "object", "properties": { "a": { "$ref": "https://a.example/s" } } }),
                json!({ "a": { "type": "object" } }),
            ),
            (
                json!({ "properties": { "a": { "$ref": "#/properties/a" } } }),
                json!({ "a": {} }),
            ),
            (
                json!({ "properties": { "a": { "$ref": "#point" }, "b": { "$ref": "p.json" } }, "$defs": {
                    "P": { "$anchor": "point", "type": "string" }, "Q": { "$id": "p.json", "type": "integer" },
                } }),
                json!({ "a": { "type": "string" }, "b": { "type": "integer" } }),
            ),
        ] {
            let safe = republished_schema(schema.clone()).unwrap();
            assert_eq!(safe["properties"], expected, "{schema}");
        }
    }

    #[test]
    fn a_circle_through_any_keyword_costs_neither_the_tool_nor_its_other_properties() {
        let circle = || json!({ "$ref": "#/$defs/N" });
        for part in [
            json!({ "items": circle() }),
            json!({ "prefixItems": [circle()] }),
            json!({ "additionalProperties": circle() }),
            json!({ "patternProperties": { "^x": circle() } }),
            json!({ "allOf": [circle(), { "minProperties": 1 }] }),
            json!({ "anyOf": [circle(), { "type": "null" }] }),
            json!({ "oneOf": [{ "items": circle() }, circle()] }),
            json!({ "not": circle() }),
            json!({ "if": circle(), "then": circle(), "else": circle() }),
            json!({ "contains": circle() }),
            json!({ "dependentSchemas": { "a": circle() } }),
            json!({ "unevaluatedProperties": circle() }),
            json!({ "$dynamicRef": "#node", "$dynamicAnchor": "node" }),
            json!({ "$recursiveRef": "#", "$recursiveAnchor": true }),
            json!({ "$ref": 7 }),
            json!({ "$ref": null, "type": "object" }),
        ] {
            let schema = json!({
                "type": "object", "properties": { "a": circle(), "b": { "type": "string" } }, "$defs": { "N": part },
            });
            let safe = republished_schema(schema.clone())
                .unwrap_or_else(|error| panic!("{schema}: {error}"));
            assert_eq!(
                safe["properties"]["b"],
                json!({ "type": "string" }),
                "{schema}"
            );
            let text = safe.to_string();
            for keyword in ["$ref\":\"", "$dynamicRef", "$recursiveRef", "$defs"] {
                assert!(!text.contains(keyword), "{keyword} of {schema}: {safe}");
            }
        }
        for (reference, definitions) in [
            ("#/definitions/N", "definitions"),
            ("#/$defs/A%20B", "$defs"),
            ("#/$defs/a~1b", "$defs"),
        ] {
            let node = json!({ "type": "object", "properties": { "x": { "$ref": reference } } });
            let all = json!({ "N": node, "A B": node, "a/b": node });
            let schema = json!({ "$ref": reference, definitions: all });
            let safe = republished_schema(schema.clone()).unwrap();
            assert_eq!(
                safe["properties"]["x"]["type"], "object",
                "{schema}: {safe}"
            );
        }
    }

    #[test]
    fn a_reference_that_the_schema_does_not_hold_is_open() {
        let schema = json!({ "type": "object", "properties": {
            "a": { "$ref": "https://example.com/x.json", "description": "Far" }, "b": { "$ref": "#/$defs/gone" },
            "c": { "type": "string" },
        } });
        let safe = republished_schema(schema).unwrap();
        let expected = json!({ "a": { "description": "Far" }, "b": {}, "c": { "type": "string" } });
        assert_eq!(safe["properties"], expected);
    }

    #[test]
    fn definitions_of_any_name_cost_no_tool() {
        for (reference, schema) in [
            (
                "#/components/schemas/Ticket",
                json!({ "components": { "schemas": {
                "Ticket": { "type": "object", "properties": { "owner": { "$ref": "#/components/schemas/User" } } },
                "User": { "type": "string" },
            } } }),
            ),
            (
                "#/x-types/0",
                json!({ "x-types": [
                { "type": "object", "properties": { "owner": { "$ref": "#/x-types/1" } } }, { "type": "string" },
            ] }),
            ),
        ] {
            let mut schema = schema;
            schema["type"] = json!("object");
            schema["properties"] = json!({ "ticket": { "$ref": reference } });
            let safe = republished_schema(schema).unwrap();
            let owner = &safe["properties"]["ticket"]["properties"]["owner"];
            assert_eq!(owner["type"], "string", "{safe}");
            assert!(!safe.to_string().contains("$ref"), "{safe}");
        }
        // Values that an input must equal are no notes.
        let error =
            republished_schema(json!({ "properties": { "a": { "const": { "$ref": 1 } } } }));
        assert!(error.is_err());
    }

    #[test]
    fn a_schema_that_grows_too_large_is_an_error() {
        let mut defs = Map::new();
        for level in 0..30 {
            let next = json!({ "$ref": format!("#/$defs/L{}", level + 1) });
            defs.insert(
                format!("L{level}"),
                json!({ "properties": { "a": next, "b": next } }),
            );
        }
        defs.insert("L30".to_owned(), json!({}));
        let schema = json!({ "properties": { "a": { "$ref": "#/$defs/L0" } }, "$defs": defs });
        assert!(republished_schema(schema).is_err());
    }

    #[test]
    fn the_manager_accepts_the_converted_schema() {
        for schema in [
            json!({}),
            json!(true),
            json!({ "type": ["object", "null"], "properties": {} }),
            json!({ "oneOf": [{ "properties": { "a": { "type": "string" } }, "required": ["a"] }, { "$ref": "#/$defs/B" }], "$defs": { "B": { "properties": { "b": {} } } } }),
        ] {
            let safe = republished_schema(schema.clone()).unwrap();
            assert_eq!(check_input_schema(&safe), Ok(()), "{schema}");
            assert_eq!(safe["type"], "object", "{schema}");
        }
    }
}
