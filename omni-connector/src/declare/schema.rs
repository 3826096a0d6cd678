//! Schemas of inputs: inlined and simplified for the manager, and used to check the input of calls.

use std::{
    collections::HashMap,
    mem,
    sync::{LazyLock, PoisonError, RwLock},
};

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::argument::ActionInput;
use crate::{
    connector::{ActionCall, ActionError},
    schema::{
        DOCUMENT_NAMES, NULL_MARK, Null, Rule, Trial, Tried, check_limits, is_buffered, is_custom,
        safe_part, safe_schema, trial, whole_numbers,
    },
};

/// A function that makes the schema of a type, called when the manifest is built.
pub type SchemaFn = fn() -> Value;

/// Returns the schema of `T` as an action's whole input: an object without references or redundant `null`, with enums
/// as lists.
///
/// A recursive type cannot be inlined. Its reference stays, and is reported before the connector registers.
///
/// The manager refuses a type with alternatives at the top. It becomes an object with the properties of all of them.
/// Decoding still refuses an input that fits none.
pub fn input_schema<T: JsonSchema>() -> Value {
    safe_schema(whole(T::json_schema))
}

/// Returns the schema that Omni sees for an input decoded as `T`: [`input_schema`], but with null where null has a
/// meaning.
pub(super) fn described<T: ActionInput>() -> Value {
    safe_schema(marked(inlined::<T>, trial::<T>))
}

/// Returns the schema of a type decoded by serde. A field with a custom `deserialize_with` function may distinguish
/// null from absent. Within flattened and tagged types serde hides that function, so there each field may that has null as
/// its default.
pub(super) fn marked(schema: SchemaFn, trial: Trial) -> Value {
    let mut schema = schema();
    mark_nulls(&mut schema, &|null| Reached::by(&trial(null)));
    schema
}

/// What a null reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// Serde's own decoding, which takes it for absent.
    Serde,
    /// A custom function of the author.
    Custom,
    /// Either of them.
    Hidden,
}

impl Reached {
    fn by(tried: &Tried) -> Self {
        if is_custom(tried) {
            Self::Custom
        } else if is_buffered(tried) {
            Self::Hidden
        } else {
            Self::Serde
        }
    }
}

/// Marks the properties, at every depth, whose null may have a meaning. `reached` is called with an input that contains a
/// single null.
fn mark_nulls(schema: &mut Value, reached: &dyn Fn(Value) -> Reached) {
    let Value::Object(schema) = schema else {
        return;
    };
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, property) in properties {
            let reached = |inner: Value| reached(field(name, inner));
            let types = property["type"].as_array();
            let any = property["anyOf"].as_array();
            let admits_null = types.is_some_and(|types| types.contains(&json!("null")))
                || any.is_some_and(|any| any.iter().any(|schema| schema["type"] == "null"));
            let has_meaning = || match reached(Value::Null) {
                Reached::Serde => false,
                Reached::Custom => true,
                Reached::Hidden => property.get("default").is_some_and(Value::is_null),
            };
            if admits_null && has_meaning() {
                property[NULL_MARK] = Value::Bool(true);
            }
            mark_nulls(property, &reached);
        }
    }
    if let Some(items) = schema.get_mut("items") {
        mark_nulls(items, &|inner| reached(Value::Array(vec![inner])));
    }
    if let Some(others) = schema.get_mut("additionalProperties") {
        mark_nulls(others, &|inner| reached(field("a", inner)));
    }
    // The names of the fields of such a map are numbers.
    if let Some(Value::Object(schemas)) = schema.get_mut("patternProperties") {
        for like in schemas.values_mut() {
            mark_nulls(like, &|inner| reached(field("0", inner)));
        }
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        if let Some(Value::Array(schemas)) = schema.get_mut(key) {
            for schema in schemas {
                mark_nulls(schema, reached);
            }
        }
    }
}

fn field(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}

/// Returns schemars' schema of `T`, with all references inlined.
pub(super) fn inlined<T: JsonSchema>() -> Value {
    whole(T::json_schema)
}

/// Not generic: a connector has hundreds of inputs.
fn whole(schema_in: fn(&mut SchemaGenerator) -> Schema) -> Value {
    let settings = SchemaSettings::draft2020_12();
    let mut generator = settings
        .with(|settings| settings.inline_subschemas = true)
        .into_generator();
    schema_in(&mut generator).to_value()
}

/// Takes the input of a call, prepared for decoding as the type with this schema. Not generic, so that it is compiled once.
pub(super) fn take_params(
    call: &mut ActionCall,
    schema: SchemaFn,
    trial: Trial,
) -> Result<Value, ActionError> {
    admit(mem::take(&mut call.params), schema, trial)
}

/// Prepares an input for decoding as the type with this schema.
pub(super) fn admit(params: Value, schema: SchemaFn, trial: Trial) -> Result<Value, ActionError> {
    let input = InputSchema::cached(Key::Type(schema as usize), &|| {
        let declared = safe_part(schema(), Null::Noise);
        // Omni sees one object; limits belong to each alternative.
        InputSchema::of(&safe_schema(declared.clone()), &declared)
    });
    input
        .admit(params, &|params| trial(params.clone()))
        .map(Value::Object)
}

/// Returns the schema of an object with these properties.
pub(super) fn object(properties: Map<String, Value>, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// The checks of an action's input before it is decoded.
#[derive(Debug)]
pub(super) struct InputSchema {
    /// Every property, and whether it is required.
    known: HashMap<String, bool>,

    /// Whether decoding refuses unknown fields.
    closed: bool,
    /// The name under which the manager sends a document's id, and the action's name for it.
    renamed: Option<(&'static str, &'static str)>,
    rule: Rule,
}

impl InputSchema {
    /// Returns the input schema that `make` returns. It is made once for each `key`, which identifies the declaration.
    ///
    /// Declarations live as long as the process, so the schema does as well.
    pub(super) fn cached(key: Key, make: &dyn Fn() -> Self) -> &'static Self {
        static CACHE: LazyLock<RwLock<HashMap<Key, &'static InputSchema>>> =
            LazyLock::new(RwLock::default);

        let known = CACHE
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .copied();
        known.unwrap_or_else(|| {
            let schema = Box::leak(Box::new(make()));
            let mut cache = CACHE.write().unwrap_or_else(PoisonError::into_inner);
            cache.entry(key).or_insert(schema)
        })
    }

    /// Checks inputs against the schema that Omni sees, and against the limits of the `declared` one.
    pub(super) fn of(schema: &Value, declared: &Value) -> Self {
        let required = schema["required"].as_array();
        let is_required = |name: &String| {
            required.is_some_and(|names| names.iter().any(|required| required == name))
        };
        let properties = schema["properties"].as_object();
        let known: HashMap<_, _> = properties
            .into_iter()
            .flatten()
            .map(|(name, _)| (name.clone(), is_required(name)))
            .collect();
        let [document, file] = DOCUMENT_NAMES;
        Self {
            closed: schema["additionalProperties"] == Value::Bool(false),
            renamed: match (known.contains_key(document), known.contains_key(file)) {
                (true, false) => Some((file, document)),
                (false, true) => Some((document, file)),
                _ => None,
            },
            rule: Rule::of(declared),
            known,
        }
    }

    /// Prepares the input for decoding. Removes keys that the action does not know: the manager adds those of the
    /// source's config (`protocol.md` §6.4). Removes nulls that decoding does not accept. Renames the id of a document
    /// to the action's name for it. `decode` tries to decode an input.
    ///
    /// # Errors
    /// The input is not an object, or exceeds a limit.
    pub(super) fn admit(
        &self,
        params: Value,
        decode: &dyn Fn(&Value) -> Tried,
    ) -> Result<Map<String, Value>, ActionError> {
        let mut params = match params {
            Value::Object(params) => params,
            Value::Null => Map::new(),
            _ => {
                return Err(ActionError::bad_request(
                    "invalid params: they must be a JSON object",
                ));
            }
        };
        if let Some((sent, wanted)) = self.renamed
            && !params.contains_key(wanted)
            && let Some(id) = params.remove(sent)
        {
            params.insert(wanted.to_owned(), id);
        }
        let mut params = Value::Object(params);
        whole_numbers(&self.rule, &mut params);
        let nulls = self.take_nulls(&mut params);
        self.drop_unknown(&mut params, decode);
        restore_nulls(&mut params, nulls, decode);
        check_limits(&self.rule, &params, decode).map_err(|problem| {
            ActionError::bad_request(format_args!("invalid params: {problem}"))
        })?;
        match params {
            Value::Object(params) => Ok(params),
            _ => Ok(Map::new()),
        }
    }

    /// Removes the fields that decoding would refuse. A field missing in the schema may be an alias, so serde decides.
    fn drop_unknown(&self, params: &mut Value, decode: &dyn Fn(&Value) -> Tried) {
        if !self.closed {
            return;
        }
        while let Err(unfit) = decode(params)
            && let Some((name, expected)) = unfit.unknown_field()
            && let Some(fields) = params.as_object_mut()
            && fields.remove(name).is_some()
        {
            fields.retain(|name, _| {
                self.known.contains_key(name) || expected.contains(&name.as_str())
            });
        }
    }

    /// Removes the nulls of optional properties, and returns their names.
    fn take_nulls(&self, params: &mut Value) -> Vec<String> {
        let Some(fields) = params.as_object_mut() else {
            return Vec::new();
        };
        let nulls = fields
            .iter()
            .filter(|(name, value)| value.is_null() && self.known.get(*name) == Some(&false));
        let nulls: Vec<_> = nulls.map(|(name, _)| name.clone()).collect();
        fields.retain(|name, _| !nulls.contains(name));
        nulls
    }
}

/// Restores the nulls that decoding accepts: they may have a meaning, such as "clear it".
fn restore_nulls(params: &mut Value, nulls: Vec<String>, decode: &dyn Fn(&Value) -> Tried) {
    for name in nulls {
        params[&name] = Value::Null;
        if decode(params).is_err()
            && let Some(fields) = params.as_object_mut()
        {
            fields.remove(&name);
        }
    }
}

/// Identifies the declaration of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// The function that makes its schema. If the compiler merges the functions of two types, their schemas are equal.
    Type(usize),
    /// The table of its arguments, by address and length.
    Table(usize, usize),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(schemars::JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    #[allow(dead_code, reason = "only described")]
    /// How loud it is.
    enum Level {
        /// Wakes people up,
        /// and their neighbours.
        ///
        /// - `loud`: as it was called
        Page,
        Quiet,
        /// Says nothing
        Off,
    }

    #[derive(schemars::JsonSchema)]
    #[allow(dead_code, reason = "only described")]
    struct Alert {
        /// By day
        level: Level,
        /// At night
        night: Option<Level>,
        /// At weekends
        boxed: Option<Box<Level>>,
        /// By turns
        #[serde(default)]
        turns: Option<Vec<Level>>,
        /// For each
        by_name: BTreeMap<String, Option<Level>>,
        undescribed: Option<Level>,
    }

    #[test]
    fn the_words_of_each_value_are_kept_wherever_the_enum_is() {
        let schema = input_schema::<Alert>();
        let properties = &schema["properties"];
        let values = "- `page`: Wakes people up, and their neighbours. - `loud`: as it was called\n- `off`: Says nothing";
        for (of, own) in [
            (&properties["level"], "By day"),
            (&properties["night"], "At night"),
            (&properties["boxed"], "At weekends"),
            (&properties["turns"]["items"], "How loud it is."),
            (
                &properties["by_name"]["additionalProperties"],
                "How loud it is.",
            ),
            (&properties["undescribed"], "How loud it is."),
        ] {
            assert_eq!(of["description"], format!("{own}\n{values}"), "{schema:#}");
        }
        assert_eq!(properties["turns"]["description"], "By turns");
        assert_eq!(properties["by_name"]["description"], "For each");
    }
}
