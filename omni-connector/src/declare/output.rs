//! Schemas of the results of actions, for types that have one.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::Value;

use super::SchemaFn;

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

/// Returns the schema of a serialized value, including null: callers validate against it. Strict clients refuse the
/// names of Rust's number types, so these are removed.
fn output_schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(RecursiveTransform(drop_rust_names));
    settings.meta_schema = None;
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

fn drop_rust_names(schema: &mut Schema) {
    schema.remove("title");
    let of_number = |format: &str| {
        let unsigned = format.strip_prefix('u').unwrap_or(format);
        unsigned.starts_with("int") || matches!(format, "float" | "double")
    };
    if schema
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(of_number)
    {
        schema.remove("format");
    }
}
