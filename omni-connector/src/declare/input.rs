//! The caller's input, whose arguments are declared one by one: its schema, its checks and the decoding of each argument.

use serde_json::{Map, Value};

use super::{
    arg::{Absent, Arg, ArgType, ExplicitNull, literal},
    schema,
    schema::{InputSchema, Key},
};
use crate::{
    connector::ActionError,
    schema::{DOCUMENT_NAMES, DecodeError, Tried, decode_field, unmark_documents},
};

/// Returns the schema of an input with these arguments.
pub(crate) fn schema_of(args: &[Arg]) -> Value {
    let properties: Map<_, _> = args
        .iter()
        .map(|arg| (arg.name.to_owned(), arg.schema()))
        .collect();
    let required: Vec<_> = args
        .iter()
        .filter(|arg| !arg.may_be_omitted())
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
                T::deserialize(ExplicitNull).or_else(|_| decode_field("params", name, Value::Null))
            }
            Some(value) => decode_field("params", name, value),
            None => T::deserialize(Absent).map_err(|_| DecodeError::missing("params", name)),
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

/// Tries to decode each argument that is present.
fn try_each(args: &[Arg], params: &Value) -> Tried {
    let mut traces = Vec::new();
    for arg in args {
        match params.get(arg.name) {
            None => {}
            Some(Value::Null) if (arg.distinguishes_null)() => {}
            Some(value) => traces.extend((arg.trial)(value.clone())?),
        }
    }
    Ok(traces)
}

#[cfg(test)]
#[allow(
    clippy::option_option,
    reason = "null and absent are told apart this way"
)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer};
    use serde_json::json;

    use super::{super::schema::inlined, *};
    use crate::schema::trial;

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

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    struct Everywhere {
        id: String,
        #[serde(default)]
        maybe: Option<Inner>,
        #[serde(default)]
        listed: Vec<Inner>,
        #[serde(default)]
        by_name: BTreeMap<String, Inner>,
        #[serde(default)]
        by_number: HashMap<u8, Inner>,
        #[serde(default)]
        chosen: Option<Chosen>,
        #[serde(default)]
        boxed: Option<Box<[Option<Inner>]>>,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Chosen {
        One(Inner),
        Named {
            #[serde(default, deserialize_with = "given")]
            due: Option<Option<String>>,
        },
    }

    static NESTED: [Arg; 2] = [
        Arg::of::<Inner>("inner", ""),
        Arg::of::<Option<Vec<Inner>>>("listed", ""),
    ];

    #[test]
    fn null_clears_in_every_place_and_the_schema_says_so() {
        let cleared = || Inner { due: Some(None) };
        let clear = json!({ "due": null });
        let params = json!({
            "id": "a", "maybe": null, "listed": [clear, {}], "byName": { "x": clear },
            "byNumber": { "7": clear }, "chosen": { "named": clear }, "boxed": [clear, null],
        });
        let params = schema::admit(params, inlined::<Everywhere>, trial::<Everywhere>).unwrap();
        let decoded: Everywhere = crate::schema::decode("params", params).unwrap();
        assert_eq!(decoded.maybe, None);
        assert_eq!(decoded.listed, [cleared(), Inner::default()]);
        assert_eq!(decoded.by_name["x"], cleared());
        assert_eq!(decoded.by_number[&7], cleared());
        assert_eq!(decoded.chosen, Some(Chosen::Named { due: Some(None) }));
        assert_eq!(decoded.boxed, Some([Some(cleared()), None].into()));

        let published = schema::described::<Everywhere>();
        let admits_null = json!(["string", "null"]);
        for place in [
            "/properties/maybe/properties/due",
            "/properties/listed/items/properties/due",
            "/properties/byName/additionalProperties/properties/due",
            "/properties/chosen/oneOf/0/properties/one/properties/due",
            "/properties/chosen/oneOf/1/properties/named/properties/due",
        ] {
            let due = published.pointer(place);
            assert_eq!(
                due.map(|due| &due["type"]),
                Some(&admits_null),
                "{place}: {published:#}"
            );
        }
        assert_eq!(
            published
                .to_string()
                .matches("[\"string\",\"null\"]")
                .count(),
            7,
            "{published:#}"
        );
        let arguments = schema_of(&NESTED);
        for place in [
            "/properties/inner/properties/due",
            "/properties/listed/items/properties/due",
        ] {
            let due = arguments.pointer(place);
            assert_eq!(
                due.map(|due| &due["type"]),
                Some(&admits_null),
                "{place}: {arguments:#}"
            );
        }
    }
}
