//! Schemas of what actions return, where the type has one.

use std::marker::PhantomData;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use super::SchemaFn;

/// Asks about a return type: `Output::<Result<Issue>>::SCHEMA`.
#[derive(Debug)]
pub struct Output<T>(PhantomData<fn() -> T>);

/// The answer for every type that has no better one.
pub trait AnyOutput {
    /// It does not say what it looks like.
    const SCHEMA: Option<SchemaFn> = None;
}

impl<T> AnyOutput for Output<T> {}

// An inherent constant goes before that of a trait.
impl<T: JsonSchema, E> Output<Result<T, E>> {
    /// What the value looks like.
    pub const SCHEMA: Option<SchemaFn> = Some(output_schema::<T>);
}

/// What a value looks like as JSON, null included: callers compare with it.
fn output_schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
