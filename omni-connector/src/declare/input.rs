//! The caller's input where it is declared argument by argument: one declaration, for the schema and for decoding.

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

/// A type that an argument marked `#[arg]` can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of an action",
    label = "cannot be decoded and described",
    note = "help: add `#[derive(Deserialize, JsonSchema)]` to `{Self}`"
)]
pub trait ArgType: DeserializeOwned + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema> ArgType for T {}

/// One argument that the caller supplies.
#[derive(Debug, Clone, Copy)]
pub struct Arg {
    name: &'static str,
    description: &'static str,
    schema: SchemaFn,
    is_optional: fn() -> bool,
    /// Whether null means something else than leaving the argument out.
    can_be_cleared: fn() -> bool,
    trial: Trial,
    /// JSON texts, which is what a literal in the declaration becomes.
    default: Option<&'static str>,
    example: Option<&'static str>,
    limits: Limits,
}

impl Arg {
    /// An argument of type `T`. It may be left out if `T` can be decoded from nothing, as `Option` can.
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

    /// May be left out; the type's own default is used.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.is_optional = || true;
        self
    }

    /// May be left out; this JSON text is used.
    #[must_use]
    pub const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }

    /// Shown to language models, as a JSON text.
    #[must_use]
    pub const fn example(mut self, json: &'static str) -> Self {
        self.example = Some(json);
        self
    }

    /// No number may be smaller.
    #[must_use]
    pub const fn min(mut self, least: Bound) -> Self {
        self.limits.min = Some(least);
        self
    }

    /// No number may be larger.
    #[must_use]
    pub const fn max(mut self, most: Bound) -> Self {
        self.limits.max = Some(most);
        self
    }

    /// No text may be shorter, in characters.
    #[must_use]
    pub const fn min_length(mut self, least: usize) -> Self {
        self.limits.min_length = Some(least);
        self
    }

    /// No text may be longer, in characters.
    #[must_use]
    pub const fn max_length(mut self, most: usize) -> Self {
        self.limits.max_length = Some(most);
        self
    }

    /// No list may have fewer items.
    #[must_use]
    pub const fn min_items(mut self, least: usize) -> Self {
        self.limits.min_items = Some(least);
        self
    }

    /// No list may have more items.
    #[must_use]
    pub const fn max_items(mut self, most: usize) -> Self {
        self.limits.max_items = Some(most);
        self
    }

    /// A regular expression that must match somewhere in the text.
    #[must_use]
    pub const fn pattern(mut self, pattern: &'static str) -> Self {
        self.limits.pattern = Some(pattern);
        self
    }

    /// `date`, `date-time`, `email` and `uri` are checked; others are only shown.
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
        // The argument's own words say more than those of its type, but for what each value of a list means.
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

/// The schema of an input made of these arguments.
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

/// The caller's input while its arguments are taken out. What nobody takes is dropped: the manager adds the keys of the
/// source's config (`protocol.md` §6.4).
#[derive(Debug)]
pub struct Input {
    params: Map<String, Value>,
    args: std::slice::Iter<'static, Arg>,
}

impl Input {
    /// The input of a call whose arguments are `args`, to be taken in this order.
    ///
    /// # Errors
    /// The input is no object, or one of the arguments does not keep to its limits.
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

    /// The next argument.
    ///
    /// # Errors
    /// It is missing, or of another shape.
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

    /// The next argument, or its type's default.
    ///
    /// # Errors
    /// It is of another shape.
    pub fn take_or_default<T: ArgType + Default>(&mut self) -> Result<T, ActionError> {
        let (name, value) = self.next()?;
        let decoded = value
            .map(|value| decode_field("params", name, value))
            .transpose();
        decoded
            .map(Option::unwrap_or_default)
            .map_err(|error| ActionError::BadRequest(error.to_string()))
    }

    /// Everything that does not depend on the argument's type.
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

/// A literal of the declaration. One that JSON does not know is kept as its text, and found before registering.
fn literal(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()))
}

/// Tries whether each argument that is there decodes.
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

/// Null as a value that is there: the inner `None` of an `Option<Option<T>>`, an error for everything else.
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

/// Whether a type can be decoded from nothing. Asking serde means that an alias of `Option` is one, too.
fn is_optional<T: DeserializeOwned>() -> bool {
    T::deserialize(Nothing).is_ok()
}

/// A value that is not there: none for an `Option`, an error for everything else.
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
