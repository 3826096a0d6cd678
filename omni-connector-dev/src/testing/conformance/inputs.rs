//! Inputs of actions, made from their schemas: valid ones, and ones with one mistake each.

use omni_connector::wire::ManifestAction;
use serde_json::{Map, Value, json};

use crate::samples::{required, sample, sample_of};

/// Returns calls with one mistake each. The manager adds the source's config to the parameters of a call, so a parameter
/// with the name of a setting is never missing.
pub(super) fn mistakes(action: &ManifestAction, config: &Value) -> Vec<(String, Value)> {
    let schema = &action.input_schema;
    let required = || required(schema).filter(|name| config.get(name).is_none());
    let mut found = Vec::new();
    if required().next().is_some() {
        found.push(("no parameters".to_owned(), json!({})));
    }
    let Some(Value::Object(valid)) = sample(schema) else {
        return found;
    };
    let with = |name: &str, value: Value| {
        let mut params: Map<String, Value> = valid.clone();
        params.insert(name.to_owned(), value);
        Value::Object(params)
    };
    for name in required() {
        let mut params = valid.clone();
        params.remove(name);
        found.push((format!("without `{name}`"), Value::Object(params)));
    }
    if schema["additionalProperties"] == false {
        let what = "a parameter that the schema does not have".to_owned();
        found.push((what, with("surplus_parameter", 1.into())));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        for (what, value) in beyond(property) {
            found.push((format!("`{name}` {what}"), with(name, value)));
        }
    }
    found
}

/// Returns values that a schema does not allow: of another type, and one beyond each limit.
fn beyond(schema: &Value) -> Vec<(&'static str, Value)> {
    let mut found = Vec::new();
    match schema["type"].as_str() {
        Some("string") => found.push(("as an object", json!({ "a": 1 }))),
        Some("integer" | "number" | "boolean") => found.push(("as a list", json!([[]]))),
        _ => {}
    }
    let limit = |key: &str| usize::try_from(schema[key].as_u64()?).ok();
    if let Some(longest) = limit("maxLength").filter(|longest| *longest < 100_000) {
        found.push(("one too long", "x".repeat(longest + 1).into()));
    }
    if let Some(shortest) = limit("minLength").filter(|shortest| *shortest > 0) {
        found.push(("one too short", "x".repeat(shortest - 1).into()));
    }
    if let Some(item) = sample_of(&schema["items"]) {
        if let Some(most) = limit("maxItems").filter(|most| *most < 10_000) {
            found.push((
                "with one item too many",
                vec![item.clone(); most + 1].into(),
            ));
        }
        if let Some(least) = limit("minItems").filter(|least| *least > 0) {
            found.push(("with one item too few", vec![item; least - 1].into()));
        }
    }
    let number = |key: &str, step: i64| schema[key].as_i64()?.checked_add(step);
    if let Some(large) = number("maximum", 1) {
        found.push(("one too large", large.into()));
    }
    if let Some(small) = number("minimum", -1) {
        found.push(("one too small", small.into()));
    }
    let is_word = |value: &Value| value.is_string();
    if schema["enum"]
        .as_array()
        .is_some_and(|all| all.iter().all(is_word))
    {
        found.push(("as an unknown word", "never-seen-before".into()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_the_config_gives_is_never_missing() {
        let input = json!({
            "type": "object",
            "properties": { "base_path": { "type": "string" }, "depth": { "type": "boolean" } },
            "required": ["base_path", "depth"],
        });
        let action = json!({
            "name": "look", "description": "Look", "mode": "read", "input_schema": input,
        });
        let action: ManifestAction = serde_json::from_value(action).unwrap();
        let of = |config: Value| {
            let mistakes = mistakes(&action, &config).into_iter();
            mistakes.map(|(what, _)| what).collect::<Vec<_>>()
        };
        let without = ["without `base_path`", "without `depth`"].map(str::to_owned);
        let all = of(json!({}));
        assert!(without.iter().all(|one| all.contains(one)), "{all:?}");
        let some = of(json!({ "base_path": "/srv" }));
        assert!(
            !some.contains(&without[0]) && some.contains(&without[1]),
            "{some:?}"
        );
        let none = of(json!({ "base_path": "/srv", "depth": true }));
        assert!(!none.contains(&"no parameters".to_owned()), "{none:?}");
    }

    #[test]
    fn each_limit_of_a_schema_is_exceeded_by_one() {
        let of = |schema: Value| beyond(&schema).into_iter().map(|(_, value)| value);
        let text = of(json!({ "type": "string", "minLength": 2, "maxLength": 3 }));
        assert_eq!(
            text.collect::<Vec<_>>(),
            [json!({ "a": 1 }), "xxxx".into(), "x".into()]
        );
        let number = of(json!({ "type": "integer", "minimum": 1, "maximum": 5 }));
        assert_eq!(
            number.collect::<Vec<_>>(),
            [json!([[]]), 6.into(), 0.into()]
        );
        let list = of(
            json!({ "type": "array", "maxItems": 1, "minItems": 1, "items": { "type": "boolean" } }),
        );
        assert_eq!(list.collect::<Vec<_>>(), [json!([false, false]), json!([])]);
        let words = of(json!({ "enum": ["a", "b"] }));
        assert_eq!(words.collect::<Vec<_>>(), ["never-seen-before"]);
    }
}
