//! A call of an action as a test in Rust, for a person who copies it into a package.

use serde_json::Value;

use super::actions::Called;

/// Writes a test of a package that makes the same call and expects the same answer. The secret is left to the author.
pub(super) fn of(package: &str, config: &Value, action: &str, called: &Called) -> String {
    let name: String = action
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    let (input, answer) = (literal(&called.input), &called.answer);
    let actor = match &called.viewer {
        Some(viewer) => format!("Some({})", quoted(viewer)),
        None => "None".to_owned(),
    };
    let expected = match called.status {
        Some(200..300) => {
            let result = answer.get("result").unwrap_or(answer);
            format!(
                "    assert_eq!(called.unwrap(), json!({}));\n",
                literal(result)
            )
        }
        status => {
            let message = answer["error"].as_str().or(answer.as_str());
            format!(
                "    let (status, message) = called.unwrap_err();\n    assert_eq!((status, message.as_str()), ({}, {}));\n",
                status.unwrap_or_default(),
                quoted(message.unwrap_or_default())
            )
        }
    };
    format!(
        "use omni_connector::prelude::json;\n\
         use omni_connector_dev::testing::Setup;\n\n\
         #[tokio::test(flavor = \"multi_thread\")]\n\
         async fn {name}_answers_as_it_did() {{\n    \
             let setup = Setup::of(env!(\"CARGO_BIN_EXE_{package}\"))\n        \
                 .config(json!({config}))\n        \
                 .credentials(json!({{}})) // the secret of a source for tests\n        \
                 .start()\n        \
                 .await;\n    \
             let input = json!({input});\n    \
             let called = setup.try_call({action}, input, {actor}).await;\n\
         {expected}}}\n",
        config = literal(config),
        action = quoted(action),
    )
}

/// Writes JSON as the argument of `json!`, whose numbers and strings are those of Rust.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| format!("{}: {}", quoted(name), literal(value));
            let members: Vec<_> = members.iter().map(member).collect();
            format!("{{ {} }}", members.join(", "))
        }
        // A number without a suffix is an `i32`.
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(small), _) if i32::try_from(small).is_ok() => small.to_string(),
            (Some(whole), _) => format!("{whole}_i64"),
            (None, Some(large)) => format!("{large}_u64"),
            (None, None) => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// Writes a string literal of Rust.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}
