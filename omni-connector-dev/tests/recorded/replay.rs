//! One file after the other: prepare, ask, compare. Every difference is reported, and each that is listed must be one.

use std::collections::BTreeMap;

use omni_connector_dev::store::{contents, operators, runs};
use reqwest::{Method, Response, StatusCode};
use rusqlite::Transaction;
use serde_json::{Value, json};

use crate::{
    DEVIATIONS,
    compare::{differ, differ_in_any_order},
    exchange::{Entry, Exchange, body, events, group, load},
    prepare::{before, meanwhile, world},
    world::World,
};

pub(crate) async fn replay(file: &str) {
    let mut world = world(file).await;
    let exchanges = group(load(file, &world.wire));
    let mut differences: BTreeMap<String, String> = BTreeMap::new();
    let mut calls = 0;
    for exchange in &exchanges {
        before(&mut world, file, &exchange.asked.name).await;
        calls += exchange.calls.len();
        if let Err(difference) = ask(&mut world, exchange).await {
            eprintln!("{}: {difference}", exchange.asked.name);
            differences.insert(exchange.asked.name.clone(), difference);
        }
    }
    let listed = |name: &str| {
        DEVIATIONS
            .iter()
            .any(|(of_file, listed, _)| *of_file == file && *listed == name)
    };
    println!(
        "{file}: {} exchanges and {calls} calls of the manager, {} deviate",
        exchanges.len(),
        differences.len()
    );
    let mut faults: Vec<_> = differences
        .iter()
        .filter(|(name, _)| !listed(name))
        .map(|(name, difference)| format!("{name}: {difference}"))
        .collect();
    faults.extend(
        DEVIATIONS
            .iter()
            .filter(|(of_file, name, _)| *of_file == file && !differences.contains_key(*name))
            .map(|(_, name, _)| format!("{name}: is listed as a deviation and is none")),
    );
    assert!(faults.is_empty(), "{file}:\n{}", faults.join("\n"));
}

async fn ask(world: &mut World, exchange: &Exchange) -> Result<(), String> {
    let asked = &exchange.asked;
    world.wire.script(&exchange.calls);
    let touched = asked.effect.get("touched").and_then(Value::as_bool);
    if touched.is_some() {
        forget_activity(world).await;
    }
    let (response, ()) = tokio::join!(send(world, asked), meanwhile(world, asked));
    let answer = Answer::read(response).await;
    compare_answer(world, asked, &answer)?;
    compare_calls(world, exchange)?;
    compare_effects(world, asked, &answer).await
}

async fn send(world: &World, asked: &Entry) -> Response {
    let path = world.ids.apply(asked.path());
    let url = format!("{}{path}", world.manager().url());
    let method: Method = asked.method().parse().unwrap();
    let mut request = world.http.request(method, url);
    let (mut bytes, content_type) = body(asked.request.get("body"));
    if let Some(Value::String(text)) = asked.request.get("body")
        && asked.response["status"] == 200
        && asked.request["headers"].is_null()
        && serde_json::from_str::<Value>(text).is_err()
    {
        // Exact texts are recorded like JSON texts; what came of it tells them apart.
        bytes = json!(text).to_string().into_bytes();
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => world.ids.apply(&text).into_bytes(),
        Err(error) => error.into_bytes(),
    };
    match asked.request["headers"].as_object() {
        Some(headers) => {
            for (name, value) in headers {
                request = request.header(name, value.as_str().unwrap());
            }
        }
        // A text without a type is recorded as one under a JSON type is; what came of it tells them apart.
        None if asked.response["status"] == 415 => {}
        None => {
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
        }
    }
    if !bytes.is_empty() || asked.request.get("body").is_some() {
        request = request.body(bytes);
    }
    request.send().await.unwrap()
}

struct Answer {
    status: StatusCode,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    async fn read(response: Response) -> Self {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in response.headers() {
            let value: String = value
                .as_bytes()
                .iter()
                .map(|byte| char::from(*byte))
                .collect();
            headers
                .entry(name.to_string())
                .and_modify(|before| *before = format!("{before} | {value}"))
                .or_insert(value);
        }
        Self {
            status: response.status(),
            headers,
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

fn compare_answer(world: &mut World, asked: &Entry, answer: &Answer) -> Result<(), String> {
    let expected = &asked.response;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    if expected["status"] != answer.status.as_u16() {
        return Err(format!(
            "expected status {}, got {}: {text}",
            expected["status"], answer.status
        ));
    }
    let headers = expected["headers"].as_object();
    for (name, value) in headers.into_iter().flatten() {
        if name != "content-length"
            && answer.headers.get(name).map(String::as_str) != value.as_str()
        {
            return Err(format!(
                "expected the header {name}: {value}, got {:?}",
                answer.headers.get(name)
            ));
        }
    }
    let content_type = answer.headers.get("content-type").map(String::as_str);
    let body = &expected["body"];
    let difference = match (body, content_type) {
        (Value::Null, _) => (!answer.body.is_empty() && expected.get("body").is_none())
            .then(|| format!("expected no body, got {text}")),
        (Value::String(body), Some("text/event-stream")) => {
            differ(&events(body), &events(&text), &mut world.ids)
        }
        // Texts of body errors are those of a library.
        (Value::String(_), Some("text/plain; charset=utf-8"))
            if answer.status.is_client_error() =>
        {
            None
        }
        (Value::String(body), _) => (*body != text).then(|| format!("expected {body}, got {text}")),
        (body, _) if body["$base64"].is_string() => {
            (crate::exchange::bytes(body) != answer.body).then(|| "other bytes".to_owned())
        }
        (_, Some("application/json"))
            if asked.note.contains("order of connectors is arbitrary") =>
        {
            differ_in_any_order(body, &answer.json(), &mut world.ids)
        }
        (_, Some("application/json")) => differ(body, &answer.json(), &mut world.ids),
        (_, other) => Some(format!("expected JSON, got {other:?}: {text}")),
    };
    difference.map_or(Ok(()), Err)
}

fn compare_calls(world: &mut World, exchange: &Exchange) -> Result<(), String> {
    let seen = world.wire.seen();
    let mut left: Vec<_> = seen.iter().collect();
    let mut latest = Vec::new();
    for call in &exchange.calls {
        let next = left
            .iter()
            .position(|seen| seen.method == call.method() && seen.path == call.path());
        let Some(index) = next else {
            return Err(format!("`{}` was not called", call.name));
        };
        let seen = left.remove(index);
        latest.retain(|other: &&Entry| other.path() != call.path());
        latest.push(call);
        compare_call(world, call, seen)?;
    }
    // Health is asked for at will; a repeated call is recorded once; a refusal calls nobody.
    for seen in left.into_iter().filter(|seen| seen.path != "/health") {
        match latest.iter().find(|call| call.path() == seen.path) {
            Some(call) => compare_call(world, call, seen)?,
            None if exchange.asked.response["status"].as_u64() < Some(400) => {}
            None if exchange.asked.name.contains("refused") => {}
            None => return Err(format!("{} {} was called", seen.method, seen.path)),
        }
    }
    Ok(())
}

fn compare_call(world: &mut World, call: &Entry, seen: &crate::fake::Seen) -> Result<(), String> {
    let expected = &call.request["body"];
    let difference = match expected {
        Value::Null => None,
        Value::String(text) => {
            let body = String::from_utf8_lossy(&seen.body);
            (body != text.as_str()).then(|| format!("expected {text}, got {body}"))
        }
        json => differ(json, &seen.json(), &mut world.ids),
    };
    if let Some(difference) = difference {
        return Err(format!("`{}`: {difference}", call.name));
    }
    let headers = call.request["headers"].as_object();
    let json_type = json!("application/json");
    let content_type = expected.is_object().then_some(("content-type", &json_type));
    let headers = headers
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value));
    for (name, value) in headers.chain(content_type) {
        if seen.headers.get(name).map(String::as_str) != value.as_str() {
            return Err(format!("`{}`: expected {name}: {value}", call.name));
        }
    }
    Ok(())
}

async fn forget_activity(world: &World) {
    let forget = |db: &Transaction<'_>| {
        db.execute("UPDATE sync_runs SET last_activity_at = 0", [])?;
        Ok(())
    };
    world.write(forget).await;
}

/// The run that an exchange is about: named in the answer, the path or the body, or the latest of the source.
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

async fn compare_effects(world: &mut World, asked: &Entry, answer: &Answer) -> Result<(), String> {
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
                    compare_run(&run, expected).map_err(|text| format!("the run: {text}"))?;
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
                let source = world.find_source(&run.source_id).await.unwrap();
                match source.checkpoint {
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
            // What a queue holds and how long something took belongs to the real manager's own parts.
            _ => continue,
        };
        if let Some(difference) = differ(expected, &actual, &mut world.ids) {
            return Err(format!("{effect}: {difference}"));
        }
    }
    Ok(())
}

/// In a recorded run, absent counters are 0, an absent text is null, an absent checkpoint was never saved.
pub(crate) fn compare_run(run: &runs::Run, expected: &Value) -> Result<(), String> {
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
    let is_same = match (expected.get("checkpoint"), &run.checkpoint) {
        (None, None) => true,
        (Some(expected), Some(actual)) => {
            differ(expected, actual, &mut crate::compare::Ids::default()).is_none()
        }
        _ => false,
    };
    if is_same {
        Ok(())
    } else {
        Err(format!("its checkpoint is {:?}", run.checkpoint))
    }
}

/// A text, in the recorded form, or the notes of a source.
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
