//! Schemas of inputs: inlined, free of what the manager refuses, and what a call's input is held against.

use std::{
    collections::HashMap,
    sync::{LazyLock, PoisonError, RwLock},
};

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    connector::ActionError,
    schema::{DOCUMENT_NAMES, Rule, safe_schema},
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
pub(super) fn admit(params: Value, schema: SchemaFn) -> Result<Value, ActionError> {
    let input = InputSchema::cached(Key::Type(schema as usize), &schema);
    input.admit(params).map(Value::Object)
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
    pub(super) fn cached(key: Key, make: &dyn Fn() -> Value) -> &'static Self {
        static CACHE: LazyLock<RwLock<HashMap<Key, &'static InputSchema>>> =
            LazyLock::new(RwLock::default);

        let known = CACHE
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .copied();
        known.unwrap_or_else(|| {
            let schema = Box::leak(Box::new(Self::of(&make())));
            let mut cache = CACHE.write().unwrap_or_else(PoisonError::into_inner);
            cache.entry(key).or_insert(schema)
        })
    }

    fn of(schema: &Value) -> Self {
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
            rule: Rule::of(schema),
            known,
        }
    }

    /// The input as it can be decoded: without what the action does not know (the manager adds the keys of the source's
    /// config, `protocol.md` §6.4), without nulls that say no more than leaving them out, with the id of a document under
    /// the name that the action has for it.
    ///
    /// # Errors
    /// It is no object, or does not keep to a limit.
    pub(super) fn admit(&self, params: Value) -> Result<Map<String, Value>, ActionError> {
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
        params.retain(|name, value| match self.known.get(name) {
            Some(is_required) => *is_required || !value.is_null(),
            None => !self.closed,
        });
        let params = Value::Object(params);
        self.rule.check(&params).map_err(|violation| {
            ActionError::bad_request(format_args!("invalid params: {violation}"))
        })?;
        match params {
            Value::Object(params) => Ok(params),
            _ => Ok(Map::new()),
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
