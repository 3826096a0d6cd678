//! Reads parameters of an action as `key=value`, by the action's schema. A string parameter stays a string, and an
//! unknown name is an error.

use std::{collections::BTreeSet, sync::LazyLock};

use serde_json::{Value, json};

use super::{failure::Failure, settings};

/// Names that the manager accepts whatever the schema is (`protocol.md` §6.4).
const OF_THE_MANAGER: [&str; 2] = ["document_id", "file_id"];

/// Overrides `base` by the given parameters, with the types of the schema.
pub(super) fn read(
    action: &str,
    schema: &Value,
    base: Value,
    given: &[String],
) -> Result<Value, Failure> {
    let of_base = base.as_object().into_iter().flatten();
    let of_base = of_base.map(|(key, _)| key.as_str());
    let names = given.iter().filter_map(|one| one.split_once('='));
    for key in names.map(|(key, _)| key).chain(of_base) {
        known(action, schema, key)?;
    }
    settings::merged_with(base, given, |key, value| {
        value_of(place(schema, key), value)
    })
}

/// Refuses a dotted key with a name that the schema does not have.
fn known(action: &str, schema: &Value, key: &str) -> Result<(), Failure> {
    let mut of = schema;
    let mut path = String::new();
    for name in key.split('.') {
        let is_open = match &of["additionalProperties"] {
            Value::Bool(open) => *open,
            others => others.is_object(),
        };
        let Some(names) = of["properties"].as_object().filter(|_| !is_open) else {
            return Ok(());
        };
        let is_of_the_manager = path.is_empty() && OF_THE_MANAGER.contains(&name);
        if !names.contains_key(name) && !is_of_the_manager {
            return Err(unknown(
                action,
                &path,
                name,
                names.keys().map(String::as_str),
            ));
        }
        path = format!("{path}{name}.");
        of = &of["properties"][name];
    }
    Ok(())
}

/// `path` is the group of the name, and ends with a dot.
fn unknown<'a>(
    action: &str,
    path: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Failure {
    let failure = Failure::usage(format!("action `{action}` has no parameter `{path}{name}`"));
    let names: Vec<_> = known
        .clone()
        .map(|name| format!("`{path}{name}`"))
        .collect();
    match settings::nearest(name, known) {
        Some(near) => failure.help(format!("did you mean `{path}{near}`?")),
        None if names.is_empty() => failure.help("it takes none"),
        None => failure.help(format!("it takes {}", names.join(", "))),
    }
}

/// Returns the schema of the value at a dotted key.
fn place<'a>(schema: &'a Value, key: &str) -> &'a Value {
    static ID_OF_THE_MANAGER: LazyLock<Value> = LazyLock::new(|| json!({ "type": "string" }));
    if OF_THE_MANAGER.contains(&key) && schema["properties"][key].is_null() {
        return &ID_OF_THE_MANAGER;
    }
    key.split('.').fold(schema, |schema, name| {
        let named = &schema["properties"][name];
        if named.is_null() {
            &schema["additionalProperties"]
        } else {
            named
        }
    })
}

/// Returns the types of the values that a schema takes.
fn types_of(schema: &Value) -> BTreeSet<&str> {
    let mut types: BTreeSet<_> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let listed = schema["enum"].as_array().into_iter().flatten();
    if listed.chain([&schema["const"]]).any(Value::is_string) {
        types.insert("string");
    }
    for key in ["anyOf", "oneOf"] {
        let alternatives = schema[key].as_array().into_iter().flatten();
        types.extend(alternatives.flat_map(types_of));
    }
    types
}

/// Reads a value. Where the schema takes only strings, everything is one. A quoted string is taken without its quotes.
fn value_of(schema: &Value, text: &str) -> Value {
    let types = types_of(schema);
    let takes = |name: &str| types.contains(name);
    let takes_others = types
        .iter()
        .any(|name| !["string", "array", "null"].contains(name));
    let value = settings::read_value(text);
    if takes("array") && !value.is_array() && !(takes("null") && value.is_null()) {
        let item = value_of(&schema["items"], text);
        return if takes("string") || takes_others {
            item
        } else {
            vec![item].into()
        };
    }
    let is_taken = match &value {
        Value::String(_) => true,
        Value::Null => takes("null"),
        Value::Array(_) => takes("array"),
        _ => false,
    };
    if takes("string") && !takes_others && !is_taken {
        text.into()
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(schema: &Value, given: &[&str]) -> Result<Value, (String, Option<String>)> {
        let given: Vec<_> = given.iter().map(|one| (*one).to_owned()).collect();
        read("echo", schema, json!({}), &given).map_err(|failure| (failure.message, failure.help))
    }

    fn schema() -> Value {
        json!({ "type": "object", "properties": {
            "text": { "type": "string" },
            "count": { "type": "integer" },
            "labels": { "type": "array", "items": { "type": "string" } },
            "note": { "type": ["string", "null"] },
            "inner": { "type": "object", "properties": { "zip": { "type": "string" } } },
        } })
    }

    #[test]
    fn a_text_that_looks_like_a_number_stays_a_text_where_the_schema_says_so() {
        let given = [
            "text=123",
            "count=123",
            "labels=1",
            "labels=true",
            "note=null",
            "inner.zip=01234",
        ];
        assert_eq!(
            read_as(&schema(), &given),
            Ok(
                json!({ "text": "123", "count": 123, "labels": ["1", "true"], "note": null, "inner": { "zip": "01234" } })
            )
        );
        let lists = ["labels=[\"a\",\"b\"]", "text=\"quoted\""];
        assert_eq!(
            read_as(&schema(), &lists),
            Ok(json!({ "labels": ["a", "b"], "text": "quoted" }))
        );
    }

    #[test]
    fn a_parameter_that_the_action_does_not_have_is_named_with_the_nearest() {
        assert_eq!(
            read_as(&schema(), &["cuont=1"]),
            Err((
                "action `echo` has no parameter `cuont`".to_owned(),
                Some("did you mean `count`?".to_owned())
            ))
        );
        let open = json!({ "type": "object", "properties": {}, "additionalProperties": true });
        assert_eq!(read_as(&open, &["cuont=1"]), Ok(json!({ "cuont": 1 })));
        assert_eq!(
            read_as(&schema(), &["document_id=7"]),
            Ok(json!({ "document_id": "7" }))
        );
    }

    #[test]
    fn a_text_stays_one_in_every_place_and_spelling() {
        let schema = json!({ "type": "object", "properties": {
            "text": { "type": "string" },
            "level": { "enum": ["1", "2"] },
            "only": { "const": "7" },
            "either": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
            "both": { "type": ["string", "integer"] },
            "ids": { "type": ["array", "null"], "items": { "oneOf": [{ "type": "string" }, { "const": "0" }] } },
            "tags": { "type": "object", "additionalProperties": { "type": "string" } },
            "deep": { "type": "object", "properties": {
                "rows": { "type": "array", "items": { "type": "string", "enum": ["1"] } },
            } },
        } });
        for (given, read) in [
            ("text=null", json!({ "text": "null" })),
            ("text=[1]", json!({ "text": "[1]" })),
            ("text={\"a\":1}", json!({ "text": "{\"a\":1}" })),
            ("text=1e3", json!({ "text": "1e3" })),
            ("text=a=b=1", json!({ "text": "a=b=1" })),
            ("text=", json!({ "text": "" })),
            ("level=1", json!({ "level": "1" })),
            ("only=7", json!({ "only": "7" })),
            ("either=12", json!({ "either": "12" })),
            ("either=null", json!({ "either": null })),
            ("both=12", json!({ "both": 12 })),
            ("ids=0012", json!({ "ids": ["0012"] })),
            ("ids=12", json!({ "ids": ["12"] })),
            ("ids=[12]", json!({ "ids": [12] })),
            ("ids=null", json!({ "ids": null })),
            ("tags.zip=01234", json!({ "tags": { "zip": "01234" } })),
            ("tags.year=2026", json!({ "tags": { "year": "2026" } })),
            ("deep.rows=1", json!({ "deep": { "rows": ["1"] } })),
            ("file_id=7", json!({ "file_id": "7" })),
        ] {
            assert_eq!(read_as(&schema, &[given]), Ok(read), "{given}");
        }
        for (given, name, near) in [
            ("Text=1", "Text", "text"),
            ("deep.row=1", "deep.row", "deep.rows"),
            (
                "deep.document_id=1",
                "deep.document_id",
                "it takes `deep.rows`",
            ),
        ] {
            let (message, help) = read_as(&schema, &[given]).unwrap_err();
            assert!(message.ends_with(&format!("`{name}`")), "{message}");
            assert!(help.as_deref().unwrap().contains(near), "{help:?}");
        }
    }
}
