//! The caller's input where it is declared argument by argument: one declaration, for the schema and for decoding.

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Deserializer, Visitor, value::Error as Missing};
use serde_json::{Map, Value};

use super::schema::{self, SchemaFn, input_schema};
use crate::{
    actions::ActionError,
    contract::{DecodeError, decode_field},
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
    /// JSON texts, which is what a literal in the declaration becomes.
    default: Option<&'static str>,
    example: Option<&'static str>,
    limits: Limits,
}

/// What a value must keep to. Each stands in the schema and is checked when a value is decoded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Smallest number.
    pub min: Option<f64>,
    /// Largest number.
    pub max: Option<f64>,
    /// Fewest characters.
    pub min_length: Option<usize>,
    /// Most characters.
    pub max_length: Option<usize>,
    /// Most items of a list.
    pub max_items: Option<usize>,
    /// A regular expression that must match somewhere in the text.
    pub pattern: Option<&'static str>,
    /// `date`, `date-time`, `email` or `uri`; others are only shown.
    pub format: Option<&'static str>,
}

impl Limits {
    /// No limits.
    pub const NONE: Self = Self {
        min: None,
        max: None,
        min_length: None,
        max_length: None,
        max_items: None,
        pattern: None,
        format: None,
    };
}

impl Arg {
    /// An argument of type `T`. It may be left out if `T` can be decoded from nothing, as `Option` can.
    pub const fn of<T: ArgType>(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            schema: input_schema::<T>,
            is_optional: is_optional::<T>,
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
    pub const fn min(mut self, least: f64) -> Self {
        self.limits.min = Some(least);
        self
    }

    /// No number may be larger.
    #[must_use]
    pub const fn max(mut self, most: f64) -> Self {
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
        let mut schema = (self.schema)();
        let Some(object) = schema.as_object_mut() else {
            return schema;
        };
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(key.to_owned(), value);
            }
        };
        let parsed = |json: Option<&str>| json.and_then(|json| serde_json::from_str(json).ok());
        let limits = &self.limits;
        // The argument's own words say more than those of its type.
        set(
            "description",
            (!self.description.is_empty()).then(|| self.description.into()),
        );
        set("default", parsed(self.default));
        set(
            "examples",
            parsed(self.example).map(|example: Value| Value::Array(vec![example])),
        );
        set("minimum", limits.min.map(number));
        set("maximum", limits.max.map(number));
        set("minLength", limits.min_length.map(Into::into));
        set("maxLength", limits.max_length.map(Into::into));
        set("maxItems", limits.max_items.map(Into::into));
        set("pattern", limits.pattern.map(Into::into));
        set("format", limits.format.map(Into::into));
        schema
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    reason = "whole numbers are shown as such"
)]
fn number(value: f64) -> Value {
    if value.trunc() == value {
        (value as i64).into()
    } else {
        value.into()
    }
}

/// The schema of an input made of these arguments.
pub(super) fn schema_of(args: &[Arg]) -> Value {
    let properties: Map<_, _> = args
        .iter()
        .map(|arg| (arg.name.to_owned(), arg.schema()))
        .collect();
    let required: Vec<_> = args
        .iter()
        .filter(|arg| !arg.may_be_left_out())
        .map(|arg| arg.name)
        .collect();
    schema::object(properties, &required)
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
    /// The input is no object.
    pub fn new(params: Value, args: &'static [Arg]) -> Result<Self, ActionError> {
        match params {
            Value::Object(params) => Ok(Self {
                params,
                args: args.iter(),
            }),
            Value::Null => Ok(Self {
                params: Map::new(),
                args: args.iter(),
            }),
            _ => Err(ActionError::BadRequest(
                "invalid params: they must be a JSON object".to_owned(),
            )),
        }
    }

    /// The next argument.
    ///
    /// # Errors
    /// It is missing, of another shape, or outside its limits.
    pub fn take<T: ArgType>(&mut self) -> Result<T, ActionError> {
        let (name, value) = self.next()?;
        let decoded = match value {
            Some(value) => decode_field("params", name, value),
            None => T::deserialize(Nothing).map_err(|_| DecodeError::missing("params", name)),
        };
        decoded.map_err(|error| ActionError::BadRequest(error.to_string()))
    }

    /// The next argument, or its type's default.
    ///
    /// # Errors
    /// It is of another shape, or outside its limits.
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
        if let Some(value) = &given {
            check(arg, value).map_err(|problem| {
                ActionError::BadRequest(format!("invalid params: `{}` {problem}", arg.name))
            })?;
        }
        let value = given.or_else(|| arg.default.and_then(|json| serde_json::from_str(json).ok()));
        Ok((arg.name, value))
    }
}

/// What is wrong with a value, in words that follow the argument's name. The value itself is never quoted.
fn check(arg: &Arg, value: &Value) -> Result<(), String> {
    let limits = &arg.limits;
    let length = value.as_str().map(|text| text.chars().count());
    let items = value.as_array().map(Vec::len);
    let (amount, least, most) = (value.as_f64(), limits.min, limits.max);
    if let (Some(amount), Some(least)) = (amount, least)
        && amount < least
    {
        return Err(format!("must be at least {least}"));
    }
    if let (Some(amount), Some(most)) = (amount, most)
        && amount > most
    {
        return Err(format!("must be at most {most}"));
    }
    if let (Some(length), Some(least)) = (length, limits.min_length)
        && length < least
    {
        return Err(format!(
            "is {length} characters long, at least {least} are needed"
        ));
    }
    if let (Some(length), Some(most)) = (length, limits.max_length)
        && length > most
    {
        return Err(format!(
            "is {length} characters long, at most {most} are allowed"
        ));
    }
    if let (Some(items), Some(most)) = (items, limits.max_items)
        && items > most
    {
        return Err(format!("has {items} items, at most {most} are allowed"));
    }
    if let (Some(text), Some(pattern)) = (value.as_str(), limits.pattern)
        && regex_lite::Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text))
    {
        return Err(format!("does not match the pattern `{pattern}`"));
    }
    if let (Some(text), Some(format)) = (value.as_str(), limits.format)
        && !has_format(text, format)
    {
        return Err(format!("is not of the format `{format}`"));
    }
    Ok(())
}

fn has_format(text: &str, format: &str) -> bool {
    use time::{Date, format_description::well_known::Iso8601};
    match format {
        "date" => Date::parse(text, &Iso8601::DATE).is_ok(),
        "date-time" => crate::contract::timestamp::parse(text).is_ok(),
        "email" => crate::contract::Email::parse(text).is_ok(),
        "uri" => url::Url::parse(text).is_ok(),
        _ => true,
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
