//! Reads parameters of an action as `key=value`, by the action's schema. A string parameter stays a string, and an
//! unknown name is an error.

use serde_json::Value;

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
    if let Some(known) = schema["properties"].as_object()
        && schema["additionalProperties"].as_bool() != Some(true)
        && !schema["additionalProperties"].is_object()
    {
        let names = given.iter().filter_map(|one| one.split_once('='));
        let names = names.map(|(key, _)| key.split('.').next().unwrap_or(key));
        let of_base = base
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str());
        for name in names.chain(of_base) {
            if !known.contains_key(name) && !OF_THE_MANAGER.contains(&name) {
                return Err(unknown(action, name, known.keys().map(String::as_str)));
            }
        }
    }
    settings::merged_with(base, given, |key| is_text(schema, key))
}

fn unknown<'a>(action: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Failure {
    let failure = Failure::usage(format!("action `{action}` has no parameter `{name}`"));
    let names: Vec<_> = known.clone().map(|name| format!("`{name}`")).collect();
    match settings::nearest(name, known) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => failure.help("it takes none"),
        None => failure.help(format!("it takes {}", names.join(", "))),
    }
}

/// Returns whether the value at that dotted key, or each item of its list, must be a string.
fn is_text(schema: &Value, key: &str) -> bool {
    let place = key
        .split('.')
        .fold(schema, |schema, name| &schema["properties"][name]);
    let place = if place["items"].is_object() {
        &place["items"]
    } else {
        place
    };
    match &place["type"] {
        Value::String(name) => name == "string",
        Value::Array(names) => {
            names.iter().any(|name| name == "string")
                && names.iter().all(|name| name == "string" || name == "null")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            Ok(json!({ "document_id": 7 }))
        );
    }
}
