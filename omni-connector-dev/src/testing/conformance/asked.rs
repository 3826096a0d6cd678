//! Checks of search operators and actions.

use anyhow::Result;
use omni_connector::{SyncType, wire::ManifestAction};
use serde_json::Value;

use super::{
    Check, Conformance, Failure, Verdict, credentials::without_credentials, inputs::mistakes,
    victim::Victim, world::World,
};
use crate::{
    samples::sample,
    store::users::UserRole,
    testing::{fault::Fault, journal::Side},
};

pub(super) async fn operators(suite: &Conformance) -> Result<Verdict> {
    let world = World::calm(suite).await?;
    let operators = world.setup.manifest.search_operators.clone();
    if operators.is_empty() {
        return Ok(Verdict::LeftOut(
            "the connector declares no operators".to_owned(),
        ));
    }
    world.run(SyncType::Full).await?;
    let documents = world.setup.documents().await;
    for operator in &operators {
        let name = &operator.operator;
        let failed = |what: &str| Failure::new(what.to_owned()).fact("operator", name.clone());
        let mut values = documents.iter().flat_map(|document| {
            let value = document.attribute(&operator.attribute_key);
            texts(value.unwrap_or(&Value::Null))
                .into_iter()
                .map(|text| (document.id.clone(), text))
        });
        let Some((id, value)) = values.next() else {
            let failure = failed("an operator matches no document")
                .fact("attribute", operator.attribute_key.clone());
            let help = "add `.attributes_of(item)` to the documents, or give the source of the test an item with a value";
            return Ok(Verdict::Failed(
                failure
                    .help(help)
                    .store(world.keep(Check::Operators, name).await),
            ));
        };
        if operator.value_type == "text" && value.contains(char::is_whitespace) {
            let failure =
                failed("the value of an operator has blanks, which a search does not find well")
                    .fact("value", value);
            return Ok(Verdict::Failed(
                failure.help("send one word, such as `in_progress`"),
            ));
        }
        let found = world
            .setup
            .search(&format!("{name}:\"{value}\""), None)
            .await;
        if !found.contains(&id) {
            let failure = failed("an operator does not find a document that has its value")
                .fact("searched", format!("{name}:\"{value}\""))
                .fact("document", id);
            return Ok(Verdict::Failed(
                failure.store(world.keep(Check::Operators, name).await),
            ));
        }
    }
    Ok(Verdict::Passed(format!("{} operators", operators.len())))
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Number(_) | Value::Bool(_) => vec![value.to_string()],
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

pub(super) async fn actions(suite: &Conformance) -> Result<Verdict> {
    let world = World::calm(suite).await?;
    let actions = world.setup.manifest.actions.clone();
    if actions.is_empty() {
        return Ok(Verdict::LeftOut("the connector has no actions".to_owned()));
    }
    let config = &world.setup.source.config;
    let mut calls = 0;
    for action in &actions {
        for (what, params) in mistakes(action, config) {
            calls += 1;
            let Ok((status, body)) = called(&world, action, params.clone()).await else {
                continue;
            };
            if status != 400 {
                let failure = Failure::new("a caller's mistake is not refused as one (400)")
                    .fact("action", action.name.clone())
                    .fact("called with", format!("{what}: {params}"))
                    .fact("answer", format!("{status} {body}"))
                    .help("take parameters as arguments with `#[arg]`, and refuse others with `ActionError::bad_request`");
                return Ok(Verdict::Failed(failure));
            }
        }
        let writes = world.source.as_ref().map_or(0, |source| source.writes());
        if writes > 0 {
            let failure = Failure::new("a call that was refused changed the source")
                .fact("action", action.name.clone());
            return Ok(Verdict::Failed(failure.help(
                "look at all parameters before the first call to the source",
            )));
        }
    }
    let reading = actions
        .iter()
        .filter(|action| action.mode == omni_connector::ActionMode::Read);
    for action in reading {
        let Some(params) = sample(&action.input_schema) else {
            continue;
        };
        calls += 1;
        let asked = world.calls().len();
        let Ok((status, body)) = called(&world, action, params.clone()).await else {
            continue;
        };
        if status >= 500 {
            let failure = Failure::new("an action fails for valid parameters")
                .fact("action", action.name.clone())
                .fact("called with", params.to_string())
                .fact("answer", format!("{status} {body}"));
            return Ok(Verdict::Failed(failure));
        }
        calls += 1;
        if let Some(failure) = as_a_stranger(&world, action, &params).await? {
            return Ok(Verdict::Failed(failure));
        }
        if world.calls().len() == asked {
            continue;
        }
        for refusal in REFUSALS {
            calls += 1;
            if let Some(failure) = refused(suite, action, &params, (refusal, &body)).await? {
                return Ok(Verdict::Failed(failure));
            }
        }
    }
    match without_credentials(suite, &actions).await? {
        Ok(more) => calls += more,
        Err(failure) => return Ok(Verdict::Failed(failure)),
    }
    Ok(Verdict::Passed(format!(
        "{calls} calls of {} actions",
        actions.len()
    )))
}

/// Refusals of the source.
const REFUSALS: [u16; 6] = [401, 403, 404, 409, 429, 500];

/// A person whom no source knows.
const STRANGER: &str = "stranger@nowhere.example";

/// Calls an action on behalf of a person without rights. Returns what is wrong with the answer.
async fn as_a_stranger(
    world: &World,
    action: &ManifestAction,
    params: &Value,
) -> Result<Option<Failure>> {
    let manager = &world.setup.manager;
    let person = manager.user(STRANGER, UserRole::User).await?.id;
    let source = &world.setup.source.id;
    let called = manager.call_action(source, Some(&person), &action.name, params.clone());
    let Ok(answer) = called.await else {
        // The manager itself refuses, as for actions of admins.
        return Ok(None);
    };
    let status = answer.status.as_u16();
    if status < 500 {
        return Ok(None);
    }
    let failure = Failure::new("an action fails for a person whom the source does not know")
        .fact("action", action.name.clone())
        .fact("called with", params.to_string())
        .fact(
            "answer",
            format!("{status} {}", String::from_utf8_lossy(&answer.body)),
        )
        .help("refuse a person without rights with `ActionError::Forbidden`");
    Ok(Some(failure))
}

/// Calls an action while the source refuses every call. Returns what is wrong with the answer. `good` is the answer of
/// a source that does not refuse.
async fn refused(
    suite: &Conformance,
    action: &ManifestAction,
    params: &Value,
    (refusal, good): (u16, &str),
) -> Result<Option<Failure>> {
    let breaks = move |side: Side, _: &str, _: usize| {
        (side == Side::Source).then_some(Fault::Answer(refusal, None))
    };
    let world = World::start(suite, Victim::default(), breaks).await?;
    let Ok((status, body)) = called(&world, action, params.clone()).await else {
        return Ok(None);
    };
    // An object that is missing, or in another state, can be an answer.
    let is_answer = [404, 409].contains(&refusal);
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let (answer, good) = (read(&body), read(good));
    let is_refusal =
        answer["status"] == "error" || ([401, 403].contains(&refusal) && denies(&answer, &good));
    let what = match status {
        500 => "an action answers 500 when the source refuses, as if the connector were broken",
        200..300 if !is_answer && !is_refusal => {
            "an action says that it worked though the source refused"
        }
        _ => return Ok(None),
    };
    let failure = Failure::new(what)
        .fact("action", action.name.clone())
        .fact("source", format!("{refusal} to every call"))
        .fact("answer", format!("{status} {body}"))
        .help(
            "pass the error of the call on with `?`: a `SourceError` becomes the matching status",
        );
    Ok(Some(failure))
}

/// Returns whether an answer says no where the good one says yes, as in `{"authenticated": false}`.
fn denies(answer: &Value, good: &Value) -> bool {
    match (answer, good) {
        (Value::Bool(is_so), Value::Bool(was_so)) => !is_so && *was_so,
        (Value::Array(items), Value::Array(good)) => {
            let mut pairs = items.iter().zip(good);
            pairs.any(|(item, good)| denies(item, good))
        }
        (Value::Object(fields), Value::Object(good)) => fields
            .iter()
            .any(|(name, field)| good.get(name).is_some_and(|good| denies(field, good))),
        _ => false,
    }
}

/// Calls an action as the system. Returns an error if the manager itself refuses, as for admin-only actions.
pub(super) async fn called(
    world: &World,
    action: &ManifestAction,
    params: Value,
) -> Result<(u16, String)> {
    let setup = &world.setup;
    let answer = setup
        .manager
        .call_action(&setup.source.id, None, &action.name, params)
        .await?;
    Ok((
        answer.status.as_u16(),
        String::from_utf8_lossy(&answer.body).into_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_no_in_place_of_a_yes_is_a_refusal() {
        let good = json!({ "result": { "authenticated": true, "archived": false } });
        let no = json!({ "result": { "authenticated": false, "archived": false } });
        assert!(denies(&no, &good));
        for answer in [
            good.clone(),
            json!({ "result": { "archived": false } }),
            json!({ "found": false }),
            json!(false),
        ] {
            assert!(!denies(&answer, &good), "{answer}");
        }
    }
}
