//! Calls actions of a source whose credential is missing or empty.

use std::collections::BTreeMap;

use anyhow::Result;
use omni_connector::wire::ManifestAction;
use serde_json::{Value, json};

use super::{Conformance, Failure, asked::called, world::World};
use crate::samples::sample;

/// Calls each action without a credential, and with an empty one. Returns what is wrong with an answer, and otherwise the
/// number of calls.
pub(super) async fn without_credentials(
    suite: &Conformance,
    actions: &[ManifestAction],
) -> Result<Result<usize, Failure>> {
    let whole = suite.credentials.clone().unwrap_or_default();
    let names = names_of(&whole);
    if names.is_empty() {
        return Ok(Ok(0));
    }
    let world = World::calm(suite).await?;
    let source = &world.setup.source;
    // An answer that does not depend on the credential, such as 404 for a made-up id, says nothing about it.
    let mut usual = BTreeMap::new();
    for action in actions {
        if let Some(params) = sample(&action.input_schema)
            && let Ok(answer) = called(&world, action, params).await
        {
            usual.insert(&action.name, answer);
        }
    }
    let mut calls = 0;
    for (what, secret) in [("missing", json!({})), ("empty", emptied(whole))] {
        let (manager, provider) = (&world.setup.manager, &source.source_type);
        manager
            .put_credential(&source.id, None, provider, suite.auth_type, secret)
            .await?;
        for action in actions {
            let Some(params) = sample(&action.input_schema) else {
                continue;
            };
            let writes = || world.source.as_ref().map_or(0, |source| source.writes());
            let before = writes();
            let Ok((status, body)) = called(&world, action, params).await else {
                continue;
            };
            calls += 1;
            let answer = (status, body);
            if usual.get(&action.name) == Some(&answer) {
                continue;
            }
            let (is_changed, (status, body)) = (writes() > before, answer);
            if let Some((problem, help)) = wrong(status, &body, &names, is_changed) {
                let failure = Failure::new(problem)
                    .fact("action", action.name.clone())
                    .fact("credential", format!("{} is {what}", names.join(", ")))
                    .fact("answer", format!("{status} {body}"));
                return Ok(Err(failure.help(help)));
            }
        }
    }
    Ok(Ok(calls))
}

/// Returns what is wrong with an answer, and how to fix it. An action that needs no credential may succeed.
fn wrong(
    status: u16,
    body: &str,
    names: &[String],
    is_changed: bool,
) -> Option<(&'static str, &'static str)> {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let is_refusal = status >= 400 || answer["status"] == "error";
    let text = body.to_lowercase();
    let is_named =
        text.contains("credential") || names.iter().any(|name| text.contains(&name.to_lowercase()));
    if status >= 500 {
        let help =
            "take the credential as `Credentials<…>`, which refuses a missing field by its name";
        return Some((
            "an action without a credential fails as if the connector were broken",
            help,
        ));
    }
    if is_refusal && is_changed {
        let help = "look at the credential before the first call to the source";
        return Some(("a call that was refused changed the source", help));
    }
    (is_refusal && !is_named).then_some((
        "an action without a credential does not say what is missing",
        "name the field of the credential in the refusal, such as `api_key`",
    ))
}

/// Returns the names of all fields with a text.
fn names_of(credentials: &Value) -> Vec<String> {
    let Value::Object(fields) = credentials else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for (name, value) in fields {
        match value {
            Value::String(_) => names.push(name.clone()),
            value => names.extend(names_of(value)),
        }
    }
    names
}

/// Replaces all texts by empty ones.
fn emptied(value: Value) -> Value {
    match value {
        Value::String(_) => "".into(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields.map(|(name, value)| (name, emptied(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(emptied).collect(),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_that_names_the_credential_and_changes_nothing_is_right() {
        let names = names_of(&json!({ "api_key": "x", "proxy": { "password": "y" }, "port": 1 }));
        assert_eq!(names, ["api_key", "password"]);
        let problem = |status, body, is_changed| {
            wrong(status, body, &names, is_changed).map(|(problem, _)| problem)
        };
        let refusal = r#"{"error":"missing field `api_key`"}"#;
        assert_eq!(problem(400, refusal, false), None);
        assert_eq!(problem(401, r#"{"error":"no credentials"}"#, false), None);
        assert_eq!(problem(200, r#"{"status":"success"}"#, true), None);
        assert!(problem(500, refusal, false).unwrap().contains("broken"));
        assert!(problem(400, refusal, true).unwrap().contains("changed"));
        for unnamed in [
            (400, r#"{"error":"no"}"#),
            (200, r#"{"status":"error","error":"no"}"#),
        ] {
            let (status, body) = unnamed;
            assert!(problem(status, body, false).unwrap().contains("missing"));
        }
    }
}
