//! Schemas of inputs: inlined, free of what the manager refuses, and the same for every connector.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::contract::safe_schema;

/// Makes the schema of one type, when the manifest is built.
pub type SchemaFn = fn() -> Value;

/// The schema of `T` as an action's input or a part of it: no references, no `null` noise, enums as lists.
///
/// A recursive type cannot be inlined; its reference stays, and is found before the connector registers.
pub fn input_schema<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    safe_schema(
        generator
            .into_generator()
            .into_root_schema_for::<T>()
            .to_value(),
    )
}

/// Drops the keys that an input does not know: the manager adds those of the source's config (`protocol.md` §6.4).
pub(super) fn without_unknown(params: Value, schema: SchemaFn) -> Value {
    let Value::Object(mut params) = params else {
        return params;
    };
    let schema = schema();
    let open = schema
        .get("additionalProperties")
        .is_some_and(|more| *more != Value::Bool(false));
    if let (false, Some(known)) = (open, schema["properties"].as_object()) {
        params.retain(|key, _| known.contains_key(key));
    }
    Value::Object(params)
}

/// An object of these properties.
pub(super) fn object(properties: Map<String, Value>, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}
