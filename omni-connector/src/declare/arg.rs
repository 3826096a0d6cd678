//! One argument of an action, marked `#[arg]`: its declaration and its schema.

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Deserializer, Visitor, value::Error as Missing};
use serde_json::Value;

use super::{
    limits::{Bound, Limits},
    schema::{SchemaFn, inlined, marked},
};
use crate::schema::{Null, Trial, safe_part, trial};

/// A type of an argument marked `#[arg]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of an action",
    label = "cannot be decoded and described",
    note = "help: add `#[derive(Deserialize, JsonSchema)]` to `{Self}`"
)]
pub trait ArgType: DeserializeOwned + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema> ArgType for T {}

/// One argument in the caller's input.
#[derive(Debug, Clone, Copy)]
pub struct Arg {
    pub(super) name: &'static str,
    description: &'static str,
    schema: SchemaFn,
    is_optional: fn() -> bool,
    /// Returns whether null has another meaning than an omitted argument.
    pub(super) distinguishes_null: fn() -> bool,
    pub(super) trial: Trial,
    /// JSON strings, made from the literals in the declaration.
    pub(super) default: Option<&'static str>,
    example: Option<&'static str>,
    limits: Limits,
}

impl Arg {
    /// Declares an argument of type `T`. It is optional if `T` can be decoded from nothing, as `Option` can.
    pub const fn of<T: ArgType>(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            schema: inlined::<T>,
            is_optional: is_optional::<T>,
            distinguishes_null: || T::deserialize(ExplicitNull).is_ok(),
            trial: trial::<T>,
            default: None,
            example: None,
            limits: Limits::NONE,
        }
    }

    /// Makes it optional, with the default of its type.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.is_optional = || true;
        self
    }

    /// Makes it optional, with this JSON as its default.
    #[must_use]
    pub const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }

    /// Sets an example for language models, as JSON.
    #[must_use]
    pub const fn example(mut self, json: &'static str) -> Self {
        self.example = Some(json);
        self
    }

    /// Sets the minimum of every number.
    #[must_use]
    pub const fn min(mut self, least: Bound) -> Self {
        self.limits.min = Some(least);
        self
    }

    /// Sets the maximum of every number.
    #[must_use]
    pub const fn max(mut self, most: Bound) -> Self {
        self.limits.max = Some(most);
        self
    }

    /// Sets the minimum length of every string, in characters.
    #[must_use]
    pub const fn min_length(mut self, least: usize) -> Self {
        self.limits.min_length = Some(least);
        self
    }

    /// Sets the maximum length of every string, in characters.
    #[must_use]
    pub const fn max_length(mut self, most: usize) -> Self {
        self.limits.max_length = Some(most);
        self
    }

    /// Sets the minimum number of items of every list.
    #[must_use]
    pub const fn min_items(mut self, least: usize) -> Self {
        self.limits.min_items = Some(least);
        self
    }

    /// Sets the maximum number of items of every list.
    #[must_use]
    pub const fn max_items(mut self, most: usize) -> Self {
        self.limits.max_items = Some(most);
        self
    }

    /// Sets a regular expression that must match anywhere in the string.
    #[must_use]
    pub const fn pattern(mut self, pattern: &'static str) -> Self {
        self.limits.pattern = Some(pattern);
        self
    }

    /// Sets the format. `date`, `date-time`, `email` and `uri` are checked; others are only shown.
    #[must_use]
    pub const fn format(mut self, format: &'static str) -> Self {
        self.limits.format = Some(format);
        self
    }

    pub(super) fn may_be_omitted(&self) -> bool {
        self.default.is_some() || (self.is_optional)()
    }

    pub(super) fn schema(&self) -> Value {
        let null = if self.may_be_omitted() && !(self.distinguishes_null)() {
            Null::Noise
        } else {
            Null::Meant
        };
        let mut schema = safe_part(marked(self.schema, self.trial), null);
        let Some(object) = schema.as_object_mut() else {
            return schema;
        };
        self.limits.restrict(object);
        // The argument's description replaces that of its type, but the meaning of each enum value is kept.
        let values = object.get("enum").and(object.get("description"));
        let description = match values.and_then(Value::as_str) {
            Some(values) if !self.description.is_empty() => {
                format!("{}\n{values}", self.description)
            }
            _ => self.description.to_owned(),
        };
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(key.to_owned(), value);
            }
        };
        set(
            "description",
            (!description.is_empty()).then(|| description.into()),
        );
        set("default", self.default.map(literal));
        set(
            "examples",
            self.example
                .map(|example| Value::Array(vec![literal(example)])),
        );
        schema
    }
}

/// Parses a literal of the declaration. Invalid JSON is kept as a string, and reported before registration.
pub(super) fn literal(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()))
}

/// An explicit null: decodes as the inner `None` of an `Option<Option<T>>`, and fails for all other types.
pub(super) struct ExplicitNull;

impl<'de> Deserializer<'de> for ExplicitNull {
    type Error = Missing;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Missing> {
        Err(serde::de::Error::custom("null"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Missing> {
        visitor.visit_some(Absent)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Returns whether a type can be decoded from nothing. Testing with serde also covers aliases of `Option`.
fn is_optional<T: DeserializeOwned>() -> bool {
    T::deserialize(Absent).is_ok()
}

/// A missing value: decodes as `None` for an `Option`, and fails for all other types.
pub(super) struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = Missing;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Missing> {
        Err(serde::de::Error::custom("missing"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Missing> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code, reason = "only described")]
    enum Leave {
        /// With pay
        Paid,
        /// After a birth
        Parental,
    }

    #[test]
    fn the_values_of_an_enum_are_explained_below_the_arguments_description() {
        assert_eq!(
            Arg::of::<Leave>("kind", "The kind of leave").schema(),
            json!({
                "type": "string", "enum": ["paid", "parental"],
                "description": "The kind of leave\n- `paid`: With pay\n- `parental`: After a birth",
            })
        );
    }
}
