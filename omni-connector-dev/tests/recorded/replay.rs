//! Replays one file after the other: prepare, request, compare. Reports every difference. Every
//! listed deviation must occur.

use std::collections::BTreeMap;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    DEVIATIONS, WITHHELD,
    compare::{differ, differ_in_any_order},
    effects::{compare_effects, forget_activity},
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
        // Raw strings and JSON strings are recorded alike; the recorded effect distinguishes them.
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
        // Strings with and without a JSON content type are recorded alike; the recorded status
        // distinguishes them.
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

pub(crate) struct Answer {
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

    pub(crate) fn json(&self) -> Value {
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
    let (withheld, reason) = WITHHELD;
    if let Some(value) = answer.headers.get(withheld) {
        return Err(format!("got {withheld}: {value}, but {reason}"));
    }
    let headers_here = headers.into_iter().flatten();
    for (name, value) in headers_here.filter(|(name, _)| *name != withheld) {
        if name != "content-length"
            && answer.headers.get(name).map(String::as_str) != value.as_str()
        {
            return Err(format!(
                "expected the header {name}: {value}, got {:?}",
                answer.headers.get(name)
            ));
        }
    }
    // All headers of relayed answers are recorded.
    if asked.name.starts_with("relay:") {
        let may_come = ["date", "content-length"];
        let unexpected = answer.headers.keys().find(|name| {
            !may_come.contains(&name.as_str()) && headers.is_none_or(|all| !all.contains_key(*name))
        });
        if let Some(name) = unexpected {
            return Err(format!("the header {name} is not expected"));
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
        // Messages of body errors come from a library.
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
    // Health checks are not compared. A repeated call is recorded once. A refusal makes no call.
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
