//! Compares the effects of an exchange: the real manager's database and registry with this
//! manager's store.

use omni_connector_dev::store::{contents, operators, runs};
use rusqlite::Transaction;
use serde_json::{Value, json};

use crate::{
    compare::{Ids, differ},
    exchange::Entry,
    replay::Answer,
    world::World,
};

/// Clears recorded activity, so that a new one shows.
pub(crate) async fn forget_activity(world: &World) {
    let forget = |db: &Transaction<'_>| {
        db.execute("UPDATE sync_runs SET last_activity_at = 0", [])?;
        Ok(())
    };
    world.write(forget).await;
}

/// Finds the run of an exchange: named in the answer, the path or the body, or the latest of the
/// source.
async fn run_of(world: &World, asked: &Entry, answer: &Answer) -> Option<runs::Run> {
    let named = [
        answer.json()["sync_run_id"].as_str().map(str::to_owned),
        asked.request["body"]["sync_run_id"]
            .as_str()
            .map(str::to_owned),
        asked
            .path()
            .split('/')
            .find(|part| part.starts_with("01K3REC"))
            .map(str::to_owned),
    ];
    let id = named
        .into_iter()
        .flatten()
        .next()
        .map(|id| world.ids.of(&id));
    let source = asked.request["body"]["source_id"]
        .as_str()
        .map(str::to_owned);
    let source = source.or_else(|| Some(asked.path().strip_prefix("/sync/")?.to_owned()));
    let find = move |db: &Transaction<'_>| match (id, source) {
        (Some(id), _) => runs::find(db, &id),
        (None, source) => Ok(runs::latest(db, source.as_deref(), 1)?.pop()),
    };
    world.write(find).await
}

pub(crate) async fn compare_effects(
    world: &mut World,
    asked: &Entry,
    answer: &Answer,
) -> Result<(), String> {
    let Value::Object(effects) = &asked.effect else {
        return Ok(());
    };
    for (effect, expected) in effects {
        let actual = match effect.as_str() {
            "run" => {
                let run = run_of(world, asked, answer).await;
                if expected.is_null() {
                    json!(run)
                } else {
                    let run = run.ok_or("there is no run")?;
                    compare_run(world, &run, expected)
                        .await
                        .map_err(|text| format!("the run: {text}"))?;
                    continue;
                }
            }
            "touched" => {
                let id = run_of(world, asked, answer).await.map(|run| run.id);
                let touched = move |db: &Transaction<'_>| {
                    let sql = "SELECT last_activity_at > 0 FROM sync_runs WHERE id = ?1";
                    Ok(db.query_row(sql, [id], |row| row.get::<_, bool>(0))?)
                };
                json!(world.write(touched).await)
            }
            "stored" => stored(world, asked, answer).await,
            "source_checkpoint" => {
                let run = run_of(world, asked, answer).await.unwrap();
                match world.find_checkpoint(&run.source_id).await {
                    Some(checkpoint) => json!({ "value": checkpoint }),
                    None => json!("absent"),
                }
            }
            "search_operators" | "search_operators_any_order" => {
                let mut stored = json!(world.write(|db| operators::all(db)).await);
                if effect == "search_operators_any_order" {
                    let list = stored.as_array_mut().unwrap();
                    list.sort_by_key(|operator| operator["attribute_key"].to_string());
                }
                stored
            }
            effect if effect.starts_with("registry_value") => {
                let id = asked.request["body"]["connector_id"].as_str();
                let id = match effect {
                    "registry_value_connector_url" => "acme2",
                    _ => id.unwrap_or("acme"),
                };
                let manifest = json!(world.registered(id).await);
                match effect {
                    "registry_value_actions" => manifest["actions"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|action| action["name"].clone())
                        .collect(),
                    "registry_value_mode" => manifest["actions"][0]["mode"].clone(),
                    "registry_value_connector_url" => manifest["connector_url"].clone(),
                    _ => {
                        let members = expected.as_object().unwrap().keys();
                        let part = members
                            .filter_map(|key| Some((key.clone(), manifest.get(key)?.clone())));
                        Value::Object(part.collect())
                    }
                }
            }
            // Queue contents and durations belong to the real manager's internals.
            _ => continue,
        };
        if let Some(difference) = differ(expected, &actual, &mut world.ids) {
            return Err(format!("{effect}: {difference}"));
        }
    }
    Ok(())
}

/// In a recorded run, absent counters are 0, an absent message is null, and an absent checkpoint
/// was never saved.
pub(crate) async fn compare_run(
    world: &World,
    run: &runs::Run,
    expected: &Value,
) -> Result<(), String> {
    let checkpoint = world.find_checkpoint(&run.id).await;
    let actual = json!(run);
    let optional = ["sync_type", "trigger_type"];
    for name in optional
        .iter()
        .filter(|name| expected[**name].is_string())
        .chain(&["status"])
    {
        if expected[*name] != actual[*name] {
            return Err(format!(
                "expected {} to be {}, is {}",
                name, expected[*name], actual[*name]
            ));
        }
    }
    for name in ["documents_scanned", "documents_updated"] {
        if expected.get(name).cloned().unwrap_or(json!(0)) != actual[name] {
            return Err(format!("{name} is {}", actual[name]));
        }
    }
    if expected["error_message"] != actual["error_message"] {
        return Err(format!("its message is {}", actual["error_message"]));
    }
    let is_same = match (expected.get("checkpoint"), &checkpoint) {
        (None, None) => true,
        (Some(expected), Some(actual)) => differ(expected, actual, &mut Ids::default()).is_none(),
        _ => false,
    };
    if is_same {
        Ok(())
    } else {
        Err(format!("its checkpoint is {checkpoint:?}"))
    }
}

/// Returns a stored text in the recorded form, or the connector's state of a source.
async fn stored(world: &World, asked: &Entry, answer: &Answer) -> Value {
    if asked.path().ends_with("/connector-state") {
        let id = asked.path().split('/').nth(3).unwrap();
        let source = world.find_source(id).await;
        return match source {
            Some(source) => source.connector_state.unwrap_or(Value::Null),
            None => json!("no row"),
        };
    }
    let id = answer.json()["content_id"].as_str().unwrap().to_owned();
    let text = world
        .write(move |db| contents::find(db, &id))
        .await
        .unwrap();
    json!({ "text": text, "content_type": "text/plain", "size_bytes": text.len() })
}
