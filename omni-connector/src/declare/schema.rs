//! Schemas of inputs: inlined, free of what the manager refuses, and what a call's input is held against.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{LazyLock, PoisonError, RwLock},
};

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::argument::ActionInput;
use crate::{
    connector::ActionError,
    schema::{
        DOCUMENT_NAMES, NULL_MARK, Null, Rule, Trial, Tried, forms, is_by_hand, safe_part,
        safe_schema, trial, whole_numbers,
    },
};

/// Makes the schema of one type, when the manifest is built.
pub type SchemaFn = fn() -> Value;

/// The schema of `T` as an action's whole input: an object, no references, no `null` noise, enums as lists.
///
/// A recursive type cannot be inlined; its reference stays, and is found before the connector registers.
///
/// A type with alternatives at the top, which the manager refuses, becomes an object with the properties of all of them;
/// decoding still refuses what belongs to none.
pub fn input_schema<T: JsonSchema>() -> Value {
    safe_schema(whole(T::json_schema))
}

/// The schema of `T` as Omni is shown it where `T` is decoded from it: [`input_schema`], with null where that says something.
pub(super) fn described<T: ActionInput>() -> Value {
    safe_schema(marked(inlined::<T>, trial::<T>))
}

/// The schema of a type that is decoded by serde's rules. An optional value that a function of the author decodes may tell
/// null from absent.
fn marked(schema: SchemaFn, trial: Trial) -> Value {
    let mut schema = schema();
    mark_nulls(&mut schema, &|null| is_by_hand(&trial(null)));
    schema
}

/// Marks the properties, here and below, whose null reaches a function of the author. `is_by_hand` is asked with an input that
/// holds one null.
fn mark_nulls(schema: &mut Value, is_by_hand: &dyn Fn(Value) -> bool) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        let tells_null =
            |inner: Value| is_by_hand(Value::Object(Map::from_iter([(name.clone(), inner)])));
        let types = property["type"].as_array();
        let any = property["anyOf"].as_array();
        let admits_null = types.is_some_and(|types| types.contains(&json!("null")))
            || any.is_some_and(|any| any.iter().any(|schema| schema["type"] == "null"));
        if admits_null && tells_null(Value::Null) {
            property[NULL_MARK] = Value::Bool(true);
        }
        mark_nulls(property, &tells_null);
    }
}

/// The schema of `T` in schemars' own words, but for its references.
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

/// The input of a call as the type whose schema is `schema` can be decoded from it. Not generic, so that it is compiled
/// once.
pub(super) fn admit(params: Value, schema: SchemaFn, trial: Trial) -> Result<Value, ActionError> {
    let input = InputSchema::cached(Key::Type(schema as usize), &|| {
        let declared = safe_part(schema(), Null::Noise);
        // Omni is shown one object; limits belong to each alternative.
        InputSchema::of(&safe_schema(declared.clone()), &declared)
    });
    input
        .admit(params, &|params| trial(params.clone()))
        .map(Value::Object)
}

/// An object of these properties.
pub(super) fn object(properties: Map<String, Value>, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// What the input of one action is held against before it is decoded.
#[derive(Debug)]
pub(super) struct InputSchema {
    /// Every property, and whether it must be there.
    known: HashMap<String, bool>,

    /// Whether decoding refuses what it does not know.
    closed: bool,
    /// The name that a document's id comes under, and the one that the action has for it.
    renamed: Option<(&'static str, &'static str)>,
    rule: Rule,
}

impl InputSchema {
    /// The input schema that `make` makes, made once for each `key`: where it is declared.
    ///
    /// What is declared lasts as long as the process, so this does, too.
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

    /// Holds inputs against the schema that Omni is shown, and against the limits of the one that was `declared`.
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

    /// The input as it can be decoded: without what the action does not know (the manager adds the keys of the source's
    /// config, `protocol.md` §6.4), without nulls that decoding does not take, with the id of a document under the name that
    /// the action has for it. `decode` tries whether an input decodes.
    ///
    /// # Errors
    /// It is no object, or does not keep to a limit.
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
        let refuse = |problem: &dyn Display| {
            ActionError::bad_request(format_args!("invalid params: {problem}"))
        };
        let forms = forms(&self.rule, &params, decode).map_err(|problem| refuse(&problem))?;
        forms
            .iter()
            .try_for_each(|form| self.rule.check(form))
            .map_err(|violation| refuse(&violation))?;
        match params {
            Value::Object(params) => Ok(params),
            _ => Ok(Map::new()),
        }
    }

    /// Drops the names that decoding would refuse. A name that the schema does not list may be an alias, so serde is asked.
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

    /// Takes out the nulls of optional properties; their names.
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

/// Puts back the nulls that decoding takes: they may mean something, such as "clear it".
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

/// Where an input is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// The function that makes its schema. Two types whose functions the compiler made one have one schema.
    Type(usize),
    /// The table of its arguments, by its place and length.
    Table(usize, usize),
}
