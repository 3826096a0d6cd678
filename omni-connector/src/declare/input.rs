//! The caller's input, declared argument by argument: one declaration serves the schema and the decoding.

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Deserializer, Visitor, value::Error as Missing};
use serde_json::{Map, Value};

use super::{
    limits::{Bound, Limits},
    schema,
    schema::{InputSchema, Key, SchemaFn, inlined},
};
use crate::{
    connector::ActionError,
    schema::{
        DOCUMENT_NAMES, DecodeError, Null, Trial, Tried, decode_field, safe_part, trial,
        unmark_documents,
    },
};

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
    name: &'static str,
    description: &'static str,
    schema: SchemaFn,
    is_optional: fn() -> bool,
    /// Whether null differs from omitting the argument.
    can_be_cleared: fn() -> bool,
    trial: Trial,
    /// JSON strings, made from the literals in the declaration.
    default: Option<&'static str>,
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
            can_be_cleared: || T::deserialize(Cleared).is_ok(),
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

    fn may_be_left_out(&self) -> bool {
        self.default.is_some() || (self.is_optional)()
    }

    fn schema(&self) -> Value {
        let null = if self.may_be_left_out() && !(self.can_be_cleared)() {
            Null::Noise
        } else {
            Null::Meant
        };
        let mut schema = safe_part((self.schema)(), null);
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

/// Returns the schema of an input with these arguments.
pub(crate) fn schema_of(args: &[Arg]) -> Value {
    let properties: Map<_, _> = args
        .iter()
        .map(|arg| (arg.name.to_owned(), arg.schema()))
        .collect();
    let required: Vec<_> = args
        .iter()
        .filter(|arg| !arg.may_be_left_out())
        .map(|arg| arg.name)
        .collect();
    let mut schema = schema::object(properties, &required);
    schema.as_object_mut().map(unmark_documents);
    schema
}

/// The caller's input, from which arguments are taken. Remaining keys are dropped: the manager adds those of the
/// source's config (`protocol.md` §6.4).
#[derive(Debug)]
pub struct Input {
    params: Map<String, Value>,
    args: std::slice::Iter<'static, Arg>,
}

impl Input {
    /// Checks the input of a call with the arguments `args`, which must be taken in this order.
    ///
    /// # Errors
    /// The input is not an object, or an argument exceeds its limits.
    pub fn new(params: Value, args: &'static [Arg]) -> Result<Self, ActionError> {
        let key = Key::Table(args.as_ptr() as usize, args.len());
        let schema = InputSchema::cached(key, &|| {
            let schema = schema_of(args);
            InputSchema::of(&schema, &schema)
        });
        let params = match params {
            Value::Object(mut params) => {
                params.retain(|name, _| {
                    DOCUMENT_NAMES.contains(&name.as_str())
                        || args.iter().any(|arg| arg.name == name)
                });
                Value::Object(params)
            }
            other => other,
        };
        Ok(Self {
            params: schema.admit(params, &|params| try_each(args, params))?,
            args: args.iter(),
        })
    }

    /// Takes the next argument.
    ///
    /// # Errors
    /// It is missing, or has another shape.
    pub fn take<T: ArgType>(&mut self) -> Result<T, ActionError> {
        let (name, value) = self.next()?;
        let decoded = match value {
            Some(Value::Null) => {
                T::deserialize(Cleared).or_else(|_| decode_field("params", name, Value::Null))
            }
            Some(value) => decode_field("params", name, value),
            None => T::deserialize(Nothing).map_err(|_| DecodeError::missing("params", name)),
        };
        decoded.map_err(|error| ActionError::BadRequest(error.to_string()))
    }

    /// Takes the next argument, or its type's default.
    ///
    /// # Errors
    /// It has another shape.
    pub fn take_or_default<T: ArgType + Default>(&mut self) -> Result<T, ActionError> {
        let (name, value) = self.next()?;
        let decoded = value
            .map(|value| decode_field("params", name, value))
            .transpose();
        decoded
            .map(Option::unwrap_or_default)
            .map_err(|error| ActionError::BadRequest(error.to_string()))
    }

    /// Contains everything that does not depend on the argument's type.
    fn next(&mut self) -> Result<(&'static str, Option<Value>), ActionError> {
        let arg = self
            .args
            .next()
            .ok_or_else(|| ActionError::BadRequest("invalid params: too few".to_owned()))?;
        let given = self.params.remove(arg.name);
        let value = given.or_else(|| arg.default.map(literal));
        Ok((arg.name, value))
    }
}

/// Parses a literal of the declaration. Invalid JSON is kept as a string, and reported before registration.
fn literal(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()))
}

/// Tries to decode each argument that is present.
fn try_each(args: &[Arg], params: &Value) -> Tried {
    let mut traces = Vec::new();
    for arg in args {
        match params.get(arg.name) {
            None => {}
            Some(Value::Null) if (arg.can_be_cleared)() => {}
            Some(value) => traces.extend((arg.trial)(value.clone())?),
        }
    }
    Ok(traces)
}

/// An explicit null: decodes as the inner `None` of an `Option<Option<T>>`, and fails for all other types.
struct Cleared;

impl<'de> Deserializer<'de> for Cleared {
    type Error = Missing;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Missing> {
        Err(serde::de::Error::custom("null"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Missing> {
        visitor.visit_some(Nothing)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Returns whether a type can be decoded from nothing. Testing with serde also covers aliases of `Option`.
fn is_optional<T: DeserializeOwned>() -> bool {
    T::deserialize(Nothing).is_ok()
}

/// A missing value: decodes as `None` for an `Option`, and fails for all other types.
struct Nothing;

impl<'de> Deserializer<'de> for Nothing {
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
#[allow(
    clippy::option_option,
    reason = "null and absent are told apart this way"
)]
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

    static CLEARS: [Arg; 3] = [
        Arg::of::<Option<Option<String>>>("assignee", ""),
        Arg::of::<Option<u32>>("points", "").default("5"),
        Arg::of::<u32>("page", "").default("1"),
    ];

    #[test]
    fn null_clears_what_can_be_cleared_and_is_not_the_same_as_absent() {
        let taken = |params: Value| {
            let mut input = Input::new(params, &CLEARS).unwrap();
            (
                input.take::<Option<Option<String>>>().unwrap(),
                input.take::<Option<u32>>().unwrap(),
                input.take::<u32>().unwrap(),
            )
        };
        assert_eq!(taken(json!({})), (None, Some(5), 1));
        assert_eq!(
            taken(json!({ "assignee": null, "points": null, "page": null })),
            (Some(None), None, 1)
        );
        assert_eq!(
            taken(json!({ "assignee": "ann", "points": 7.0, "page": 2 })),
            (Some(Some("ann".to_owned())), Some(7), 2)
        );
        let schema = schema_of(&CLEARS);
        assert_eq!(
            schema["properties"]["assignee"]["type"],
            json!(["string", "null"])
        );
        assert_eq!(schema["properties"]["page"]["type"], "integer");
    }

    #[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
    struct Patch {
        #[serde(default, deserialize_with = "given")]
        assignee: Option<Option<String>>,
        #[serde(default)]
        inner: Inner,
        #[serde(default)]
        page: u32,
    }

    #[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
    struct Inner {
        #[serde(default, deserialize_with = "given")]
        due: Option<Option<String>>,
    }

    fn given<'de, D: Deserializer<'de>>(given: D) -> Result<Option<Option<String>>, D::Error> {
        Deserialize::deserialize(given).map(Some)
    }

    #[test]
    fn null_reaches_a_field_that_tells_it_from_absent_at_the_top_as_within() {
        let decoded = |params: Value| -> Patch {
            let params = schema::admit(params, inlined::<Patch>, trial::<Patch>).unwrap();
            crate::schema::decode("params", params).unwrap()
        };
        assert_eq!(decoded(json!({})), Patch::default());
        assert_eq!(
            decoded(json!({ "assignee": null, "inner": { "due": null }, "page": null })),
            Patch {
                assignee: Some(None),
                inner: Inner { due: Some(None) },
                page: 0,
            }
        );
        let published = schema::described::<Patch>();
        assert_eq!(
            published["properties"]["assignee"]["type"],
            json!(["string", "null"])
        );
    }
}
