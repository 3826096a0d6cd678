//! Gives every recorded answer of the manager to the client, and compares the client's requests with those that were
//! answered 200.

use std::collections::BTreeMap;

use omni_connector::{
    ConnectorEvent, ManagerClient, ManagerError, Manifest, SourceType, SyncType, manager::Extract,
    wire::EventBatch,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Entry, Verdicts,
    forms::Form,
    parrot::{Parrot, Sent},
    recorded,
};

type Answered = Result<Value, ManagerError>;

/// Returns a member of a recorded request, or a default of its type.
fn text(body: &Value, key: &str) -> String {
    body[key]
        .as_str()
        .unwrap_or("01K3NNE0000000000000000001")
        .to_owned()
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

fn number(body: &Value) -> i32 {
    body["count"]
        .as_i64()
        .and_then(|count| i32::try_from(count).ok())
        .unwrap_or(1)
}

/// Reads the events. A single event of the one route is a batch of one on the other, which the client uses.
fn events(body: &Value) -> Vec<ConnectorEvent> {
    let events = read::<Vec<ConnectorEvent>>(&body["events"]);
    events
        .or_else(|| Some(vec![read(&body["event"])?]))
        .unwrap_or_default()
}

fn extract(body: &Value) -> (String, Extract) {
    let part = |name: &str| {
        let parts = body["$multipart"].as_array();
        parts
            .and_then(|parts| parts.iter().find(|part| part[0] == name))
            .map(|part| part[1].clone())
    };
    let text = |name| part(name).and_then(|value| value.as_str().map(str::to_owned));
    let extract = Extract {
        data: text("data").unwrap_or_default().into(),
        mime_type: text("mime_type").unwrap_or_else(|| "text/plain".to_owned()),
        filename: text("filename"),
    };
    (text("sync_run_id").unwrap_or_default(), extract)
}

/// Makes the client's call for a recorded request. Returns `None` when the client has no such call.
async fn call(client: &ManagerClient, entry: &Entry) -> Option<Answered> {
    let path = entry.path().strip_prefix("/sdk/")?;
    let decoded = path.split('/').map(|part| {
        percent_encoding::percent_decode_str(part)
            .decode_utf8()
            .ok()
    });
    let parts: Vec<_> = decoded.collect::<Option<_>>()?;
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    let body = &entry.request["body"];
    let empty = |()| json!({});
    let as_json = |error: serde_json::Error| panic!("{error}");
    Some(match (entry.method(), &parts[..]) {
        ("POST", ["register"]) => {
            let manifest: Manifest = read(body).unwrap_or_else(stand_in);
            client.register(&manifest).await.map(empty)
        }
        ("POST", ["events" | "events/batch"] | ["events", "batch"]) => {
            let batch = EventBatch::new(
                text(body, "sync_run_id"),
                text(body, "source_id"),
                events(body),
            );
            client.send_events(&batch).await.map(empty)
        }
        ("POST", ["content"]) => {
            let content = text(body, "content");
            client
                .store_content(&text(body, "sync_run_id"), content)
                .await
                .map(|id| json!({ "content_id": id }))
        }
        ("POST", ["extract-content"]) => {
            let (run, extract) = extract(body);
            client
                .extract_content(&run, &extract)
                .await
                .map(|id| json!({ "content_id": id }))
        }
        ("POST", ["extract-text"]) => {
            let (run, extract) = extract(body);
            client
                .extract_text(&run, &extract)
                .await
                .map(|text| json!({ "text": text }))
        }
        ("POST", ["sync", "create"]) => {
            let mode = read(&body["sync_type"]).unwrap_or(SyncType::Full);
            let run = client.create_run(&text(body, "source_id"), mode).await;
            run.map(|run| json!({ "sync_run_id": run }))
        }
        ("POST", ["webhook", "notify"]) => {
            let run = client
                .notify_webhook(&text(body, "source_id"), &text(body, "event_type"))
                .await;
            run.map(|run| json!({ "sync_run_id": run }))
        }
        ("POST", ["sync", "cancel"]) => client.cancel(&text(body, "sync_run_id")).await.map(empty),
        ("POST", ["sync", run, "heartbeat"]) => client.heartbeat(run).await.map(empty),
        ("POST", ["sync", run, "scanned"]) => {
            client.add_scanned(run, number(body)).await.map(empty)
        }
        ("POST", ["sync", run, "updated"]) => {
            client.add_updated(run, number(body)).await.map(empty)
        }
        ("PUT", ["sync", run, "checkpoint"]) => client.save_checkpoint(run, body).await.map(empty),
        ("POST", ["sync", run, "complete"]) => client.complete(run).await.map(empty),
        ("POST", ["sync", run, "fail"]) => client.fail(run, &text(body, "error")).await.map(empty),
        ("GET", ["source", id]) => client
            .source(id)
            .await
            .map(|source| serde_json::to_value(source).unwrap_or_else(as_json)),
        ("GET", ["credentials", id]) => client
            .credentials(id)
            .await
            .map(|credential| serde_json::to_value(credential).unwrap_or_else(as_json)),
        ("GET", ["source", id, "user-email"]) => client
            .user_email(id)
            .await
            .map(|email| json!({ "email": email })),
        ("PUT", ["source", id, "connector-state"]) => {
            client.set_connector_state(id, body).await.map(empty)
        }
        ("GET", ["sources", "by-type", source_type]) => {
            // Unknown types cannot be requested.
            let source_type: SourceType = source_type.parse().ok()?;
            let sources = client.sources_by_type(source_type).await;
            sources.map(|sources| serde_json::to_value(sources).unwrap_or_else(as_json))
        }
        ("GET", ["connector-configs", provider]) => match client.connector_config(provider).await {
            // A missing value is a valid answer here.
            Ok(None) if entry.status() == 404 => return Some(Ok(Value::Null)),
            other => other.map(Option::unwrap_or_default),
        },
        _ => return None,
    })
}

fn stand_in() -> Manifest {
    let manifest = json!({
        "name": "acme", "display_name": "Acme", "version": "1", "sync_modes": [], "connector_id": "acme",
        "connector_url": "http://127.0.0.1:4001",
    });
    serde_json::from_value(manifest).unwrap()
}

/// Checks that the client returns the recorded answer.
fn judge(entry: &Entry, answered: Answered) -> Result<(), String> {
    let (status, body) = (entry.status(), &entry.response["body"]);
    match answered {
        Ok(Value::Null) if status == 404 => Ok(()),
        Ok(value) if (200..300).contains(&status) => {
            // Nothing is read from an answer that only confirms acceptance.
            if value == json!({}) || value == *body {
                Ok(())
            } else {
                Err(format!("{body} became {value}"))
            }
        }
        Ok(value) => Err(format!("{status} became {value}")),
        Err(error) if (200..300).contains(&status) => Err(error.to_string()),
        Err(error) => {
            let told = error.status().map(|status| u64::from(status.as_u16()));
            let words = body["error"].as_str().or(body.as_str()).unwrap_or_default();
            let is_over = words.contains("running sync run") || words.contains("Unknown sync run");
            if told != Some(status) || !error.to_string().contains(words) {
                Err(format!("{status} {body} became {error}"))
            } else if matches!(error, ManagerError::RunOver { .. }) != is_over {
                Err(format!("whether the run is over: {error}"))
            } else {
                Ok(())
            }
        }
    }
}

fn answer_of(entry: &Entry) -> (u16, Option<String>, String) {
    let body = &entry.response["body"];
    let recorded = entry.response["headers"]["content-type"]
        .as_str()
        .map(str::to_owned);
    let (content_type, text) = match body {
        Value::Null => (None, String::new()),
        Value::String(text) => (None, text.clone()),
        json => (Some("application/json".to_owned()), json.to_string()),
    };
    (
        u16::try_from(entry.status()).unwrap(),
        recorded.or(content_type),
        text,
    )
}

/// Nulls that no recorded request contains, each with the reason why it is sent.
const NULLS: &[(&str, &str)] = &[
    (
        "`events` `group_name`",
        "`protocol.md` §4.7: string or null",
    ),
    (
        "`events` `person` `employment_start_date`",
        "§4.8: optional",
    ),
    ("`prompts` `description`", "§4.6: string or null"),
    (
        "`prompts` `arguments` `description`",
        "§4.6: string or null",
    ),
    ("`resources` `description`", "§4.6: string or null"),
    ("`resources` `mime_type`", "§4.6: string or null"),
];

/// Returns the name of a route, without ids.
fn route(method: &str, path: &str) -> String {
    let parts: Vec<_> = path.split('/').collect();
    let path = match parts[..] {
        ["", "sdk", "sync", _, what] => format!("/sdk/sync/…/{what}"),
        ["", "sdk", "source", _] => "/sdk/source/…".to_owned(),
        ["", "sdk", "source", _, what] => format!("/sdk/source/…/{what}"),
        ["", "sdk", "credentials", _] => "/sdk/credentials/…".to_owned(),
        ["", "sdk", "sources", "by-type", _] => "/sdk/sources/by-type/…".to_owned(),
        ["", "sdk", "connector-configs", _] => "/sdk/connector-configs/…".to_owned(),
        _ => path.to_owned(),
    };
    format!("{method} {path}")
}

#[tokio::test]
async fn every_recorded_answer_to_the_client_is_read() {
    let (parrot, client) = Parrot::start().await;
    let (mut verdicts, mut left) = (Verdicts::default(), BTreeMap::<String, usize>::new());
    for entry in recorded("connector->manager") {
        parrot.with(|wire| wire.answer = answer_of(&entry));
        match call(&client, &entry).await {
            Some(answered) => verdicts.add(&entry, judge(&entry, answered)),
            None => *left.entry(route(entry.method(), entry.path())).or_default() += 1,
        }
    }
    let count: usize = left.values().sum();
    println!("answers to calls that the client cannot make: {count}");
    for (route, count) in left {
        println!("  {route}: {count}");
    }
    verdicts.close(
        "answers of the manager",
        &[("source-credentials", "source of a remote MCP server")],
    );
}

#[tokio::test]
async fn every_request_of_the_client_has_a_form_that_was_answered_200() {
    let (parrot, client) = Parrot::start().await;
    let entries: Vec<_> = recorded("connector->manager")
        .into_iter()
        .filter(|entry| entry.status() == 200)
        .collect();
    let mut forms = BTreeMap::<String, Form>::new();
    for entry in &entries {
        let mut body = entry.request["body"].clone();
        let mut name = route(entry.method(), entry.path());
        if name == "POST /sdk/events" {
            name = "POST /sdk/events/batch".to_owned();
            if let Some(body) = body.as_object_mut() {
                let event = body.remove("event");
                body.insert("events".to_owned(), event.into_iter().collect());
            }
        }
        let form = forms.entry(name).or_default();
        form.learn(&body);
        // The events as the manager stored them after reading.
        let queued = entry.effect["queued"].as_array();
        for queued in queued.into_iter().flatten() {
            form.learn(&json!({ "events": [queued["payload"]] }));
        }
    }
    let mut checked = BTreeMap::<String, usize>::new();
    let (mut faults, mut nulls) = (Vec::new(), BTreeMap::<_, usize>::new());
    for entry in &entries {
        parrot.with(|wire| wire.answer = answer_of(entry));
        if call(&client, entry).await.is_none() {
            continue;
        }
        let sent = parrot.with(|wire| wire.sent.take()).unwrap();
        let name = route(sent.method.as_str(), &sent.path);
        *checked.entry(name.clone()).or_default() += 1;
        for difference in differences(&sent, entry, &forms[&name]) {
            let null = difference.strip_suffix(" was never a null");
            match NULLS.iter().find(|(listed, _)| null == Some(*listed)) {
                Some(null) => *nulls.entry(null).or_default() += 1,
                None => faults.push(format!("{name}, as {}: {difference}", entry.name)),
            }
        }
    }
    println!(
        "requests of the client: {}",
        checked.values().sum::<usize>()
    );
    for (route, count) in &checked {
        println!("  {route}: {count}");
    }
    for ((null, reason), count) in &nulls {
        println!("  null in {null}: {count}; {reason}");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(nulls.len(), NULLS.len(), "a listed null is none");
    assert_eq!(checked.len(), 20, "routes that the client uses");
}

/// Returns the differences between a request and the recorded one.
fn differences(sent: &Sent, entry: &Entry, form: &Form) -> Vec<String> {
    // Of the two routes for events, the client uses the one for batches.
    let path = match entry.path() {
        "/sdk/events" => "/sdk/events/batch",
        path => path,
    };
    if path != sent.path {
        return vec![format!("goes to {} instead of {path}", sent.path)];
    }
    match sent.content_type.as_str() {
        "application/json" => match serde_json::from_slice(&sent.body) {
            Ok(body) => form.differ(&body),
            Err(error) => vec![error.to_string()],
        },
        "" if sent.body.is_empty() => Vec::new(),
        content_type if content_type.starts_with("multipart/form-data; boundary=") => {
            form_of_a_file(&sent.body)
        }
        other => vec![format!("has the type `{other}`")],
    }
}

/// Returns the parts of a form as the SDKs send it (`protocol.md` §3.5).
fn form_of_a_file(body: &[u8]) -> Vec<String> {
    let body = String::from_utf8_lossy(body).to_lowercase();
    [
        "name=\"sync_run_id\"",
        "name=\"mime_type\"",
        "name=\"data\"; filename=\"file\"\r\ncontent-type: application/octet-stream",
    ]
    .into_iter()
    .filter(|part| !body.contains(part))
    .map(|part| format!("has no {part}"))
    .collect()
}
