//! Schemas of the results of actions, and of the connector's own types, where they have one.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::Value;

use super::{SchemaFn, schema::inlined};

/// Holds the schema of a return type, if it has one. See [`result_schema!`](crate::generated::result_schema).
#[derive(Debug)]
pub struct ResultSchema<T>(PhantomData<fn() -> T>);

/// The fallback for types without a schema.
pub trait NoResultSchema {
    /// No schema.
    const SCHEMA: Option<SchemaFn> = None;
}

impl<T> NoResultSchema for ResultSchema<T> {}

// An inherent constant takes precedence over that of a trait.
impl<T: JsonSchema, E> ResultSchema<Result<T, E>> {
    /// The schema of the value.
    pub const SCHEMA: Option<SchemaFn> = Some(output_schema::<T>);
}

/// Holds the schema of a type that is decoded, if it has one. See [`type_schema!`](crate::generated::type_schema).
#[derive(Debug)]
pub struct TypeSchema<T>(PhantomData<fn() -> T>);

/// The fallback for types without a schema.
pub trait NoTypeSchema {
    /// No schema.
    const SCHEMA: Option<SchemaFn> = None;
}

impl<T> NoTypeSchema for TypeSchema<T> {}

impl<T: JsonSchema> TypeSchema<T> {
    /// The schema of the type.
    pub const SCHEMA: Option<SchemaFn> = Some(inlined::<T>);
}

/// Returns the schema of a serialized value, including null: callers validate against it. Strict clients refuse names
/// that are not in JSON Schema, such as those of Rust's number types, so these are removed. So are limits: serializing does
/// not check them, and a strict client refuses a result beyond them.
fn output_schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(RecursiveTransform(keep_what_is_certain));
    settings.meta_schema = None;
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

fn keep_what_is_certain(schema: &mut Schema) {
    schema.remove("title");
    let format = schema.get("format").and_then(Value::as_str);
    let is_unsigned = format.is_some_and(|format| format.starts_with("uint"));
    if !(is_unsigned && schema.get("minimum").is_some_and(|least| *least == 0)) {
        schema.remove("minimum");
    }
    for limit in LIMITS {
        schema.remove(limit);
    }
    if schema.get("prefixItems").is_none() {
        schema.remove("minItems");
        schema.remove("maxItems");
    }
    let is_known = |format: &Value| format.as_str().is_some_and(|name| FORMATS.contains(&name));
    if !schema.get("format").is_some_and(is_known) {
        schema.remove("format");
    }
}

/// Keywords that an author writes, and no type guarantees.
const LIMITS: [&str; 13] = [
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minProperties",
    "maxProperties",
    "propertyNames",
    "contains",
    "minContains",
    "maxContains",
];

/// The formats of JSON Schema (draft 2020-12, validation 7.3) that usual validators know.
const FORMATS: [&str; 15] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv6Addr};

    use serde::Serialize;

    use super::*;

    #[derive(Serialize, JsonSchema)]
    struct Measured {
        #[schemars(range(max = 0.1))]
        share: f32,
        #[schemars(length(min = 1, max = 3))]
        name: String,
        #[schemars(regex(pattern = "^[A-Z]+$"))]
        key: String,
        #[schemars(length(max = 1), inner(range(min = 1)))]
        counts: Vec<i64>,
        pair: (u8, char),
        #[schemars(range(min = 5))]
        rank: u8,
        #[schemars(extend("propertyNames" = { "maxLength": 1 }, "maxProperties" = 1))]
        parts: std::collections::BTreeMap<String, u8>,
    }

    #[test]
    fn a_result_beyond_the_limits_of_its_type_keeps_to_its_schema() {
        let result = Measured {
            share: 0.1,
            name: String::new(),
            key: "a b".to_owned(),
            counts: vec![0, -1],
            pair: (7, 'x'),
            rank: 1,
            parts: [("long".to_owned(), 1), ("names".to_owned(), 2)].into(),
        };
        let (schema, result) = (
            output_schema::<Measured>(),
            serde_json::to_value(&result).unwrap(),
        );
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(validator.is_valid(&result), "{result} by {schema:#}");
        assert!(!validator.is_valid(&serde_json::json!({ "share": "much" })));
        assert_eq!(schema["properties"]["pair"]["maxItems"], 2, "{schema:#}");
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only described")]
    struct Host {
        address: IpAddr,
        bound: Option<Ipv6Addr>,
        port: u16,
        load: f32,
        #[schemars(extend("format" = "uri"))]
        page: String,
        #[schemars(extend("format" = "phone"))]
        owner: String,
    }

    #[test]
    fn formats_that_validators_do_not_know_are_left_out_of_results() {
        let schema = output_schema::<Host>();
        let format = |field: &str| schema["properties"][field]["format"].clone();
        for (field, expected) in [("bound", "ipv6"), ("page", "uri")] {
            assert_eq!(format(field), expected, "{schema:#}");
        }
        for field in ["address", "port", "load", "owner"] {
            assert_eq!(format(field), Value::Null, "{field}: {schema:#}");
        }
    }
}
