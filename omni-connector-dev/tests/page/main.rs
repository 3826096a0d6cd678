//! Tests the development page over HTTP, as a browser requests it: every pane of a real manager with a real store.

mod actions;
mod browser;
mod canary;
mod forms;
mod requests;
mod safety;
mod trials;

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    routing::{get, post},
};
use browser::Browser;
use omni_connector::{AuthType, HttpClient, SyncType, sign_hmac_sha256};
use omni_connector_dev::{
    Manager, Options,
    store::{
        StoreError, apply, contents, reports,
        runs::{self, TriggerType},
    },
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const PANES: [&str; 6] = [
    "source",
    "sync",
    "requests",
    "documents",
    "actions",
    "contract",
];

/// A manager with a connector, a source and the documents of a run.
struct World {
    manager: Manager,
    source: String,
    run: String,
}

/// Returns the connector's report on any run.
fn report() -> Value {
    json!({
        "scanned": 9, "updated": 3, "deleted": 0, "skipped": 2, "reasons": { "too large": 2 },
        "skips": [{ "item": "film.mp4", "reason": "too large", "detail": "4 GB" }],
        "failed": 1, "failed_at": { "read": 1 },
        "failures": [{ "item": "broken.pdf", "stage": "read", "cause": "404 Not Found", "link": "javascript:alert(1)" }],
        "held_back": 0, "bytes": 10, "contents": 2, "current": null,
    })
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn connector() -> String {
    let action = post(async |Json(call): Json<Value>| {
        Json(json!({ "status": "success", "result": call["params"] }))
    });
    // It reports what it was asked to fetch again as what it works on.
    let wanted = Arc::new(Mutex::new(Value::Null));
    let reported = Arc::clone(&wanted);
    let sync = post(async move |Json(request): Json<Value>| {
        *wanted.lock().unwrap() = request["refetch"].clone();
        Json(json!({ "status": "started" }))
    });
    serve(
        Router::new()
            .route("/health", get(async || "healthy"))
            .route("/sync", sync)
            .route(
                "/cancel",
                post(async || Json(json!({ "status": "cancelled" }))),
            )
            .route(
                "/sync/{run}/report",
                get(async move |Path(_): Path<String>| {
                    let mut report = report();
                    report["current"] = reported.lock().unwrap().clone();
                    report["is_refetch"] = report["current"].is_string().into();
                    Json(report)
                }),
            )
            // It takes every planned fault but one.
            .route(
                "/dev/faults",
                post(
                    async |Json(fault): Json<Value>| match fault["times"].as_u64() {
                        Some(7) => StatusCode::CONFLICT,
                        _ => StatusCode::OK,
                    },
                ),
            )
            // It has one call, whose answer has changed since.
            .route(
                "/dev/repeat",
                post(async |Json(id): Json<Value>| match id["number"].as_u64() {
                    Some(1) => {
                        let exchange = requests::exchange(json!({ "issues": ["<b>", "new"] }));
                        let repeated = json!({ "outcome": "ok", "error": null, "took_ms": 7, "exchange": exchange });
                        (StatusCode::OK, Json(repeated))
                    }
                    _ => (StatusCode::NOT_FOUND, Json(Value::Null)),
                }),
            )
            .route(
                "/resource",
                post(async |Json(call): Json<Value>| Json(json!({ "contents": [{ "uri": call["uri"], "text": "<b>rules" }] }))),
            )
            .route(
                "/prompt",
                post(async |Json(call): Json<Value>| match call["name"].as_str() {
                    Some("summary") => (StatusCode::OK, Json(json!({ "messages": [call["arguments"]] }))),
                    _ => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such prompt" }))),
                }),
            )
            .route(
                "/dev/webhooks",
                get(async || Json(json!(["/hooks/{source_id}"]))),
            )
            // It takes calls that are signed with the key.
            .route(
                "/hooks/{source}",
                post(async |headers: axum::http::HeaderMap, body: String| {
                    let key = "canary-7f3a\"<9".to_owned().into();
                    let right = sign_hmac_sha256(&key, body.as_bytes());
                    let given = headers.get("x-signature").and_then(|given| given.to_str().ok());
                    match given {
                        Some(given) if given == format!("v1={right}") => (StatusCode::OK, body),
                        _ => (StatusCode::UNAUTHORIZED, "<b>not signed".to_owned()),
                    }
                }),
            )
            // It stops every call but those that say "plain".
            .route(
                "/dev/dry-run",
                post(async |Json(call): Json<Value>| {
                    let text = call["params"]["text"].clone();
                    if text == "plain" {
                        return (StatusCode::NOT_FOUND, Json(Value::Null));
                    }
                    let stopped = json!({ "operation": "POST <b>", "method": "POST", "url": "https://acme.example/<b>", "body": { "text": text } });
                    let tried = json!({ "stopped": stopped, "status": 500, "answer": { "error": "stopped" } });
                    (StatusCode::OK, Json(tried))
                }),
            )
            .route("/action", action),
    )
    .await
}

async fn manager() -> Manager {
    let mut options = Options::default();
    options.runs.tick = None;
    Manager::start(options).await.unwrap()
}

async fn register(manager: &Manager, schema: Value) {
    let url = connector().await;
    let manifest = json!({
        "name": "acme", "display_name": "Acme", "version": "1.0.0", "sync_modes": ["full", "incremental", "realtime"],
        "connector_id": "acme", "connector_url": url, "source_types": ["github"],
        "actions": [
            { "name": "echo", "description": "Say it again", "input_schema": schema, "mode": "write", "source_types": ["github"] },
        ],
        "mcp_enabled": true, "mcp_catalog_loaded": true,
        "resources": [{ "uri_template": "acme://rules/{id}", "name": "The <b>rules" }],
        "prompts": [{ "name": "summary", "description": "Sum it up", "arguments": [{ "name": "topic", "required": true }, { "name": "tone" }] }],
        "skills": [{ "id": "acme:help", "title": "How to ask", "content": "Ask <b>well." }],
        "search_operators": [
            { "operator": "project", "attribute_key": "project", "value_type": "text" },
            { "operator": "colour", "attribute_key": "colour", "value_type": "text" },
        ],
    });
    let answer = HttpClient::new()
        .post(format!("{}/sdk/register", manager.url()))
        .json(&manifest)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

fn document(id: &str, content: &str, title: &str, permissions: Value) -> Value {
    json!({
        "type": "document_created", "sync_run_id": "", "source_id": "", "document_id": id, "content_id": content,
        "metadata": { "title": title, "url": format!("https://acme.example/{id}"), "updated_at": "2026-11-01T00:00:00Z" },
        "permissions": permissions, "attributes": { "project": "ops" },
    })
}

fn only(users: &[&str], groups: &[&str]) -> Value {
    json!({ "public": false, "users": users, "groups": groups })
}

impl World {
    async fn new() -> Self {
        Self::with(json!({ "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] })).await
    }

    async fn with(schema: Value) -> Self {
        let manager = manager().await;
        register(&manager, schema).await;
        let config = json!({ "api_url": "https://acme.example" });
        let source = manager.source("Acme", "github", config).await.unwrap().id;
        manager
            .put_credential(
                &source,
                None,
                "github",
                AuthType::ApiKey,
                json!({ "key": "canary-7f3a\"<9" }),
            )
            .await
            .unwrap();
        let events = vec![
            json!({
                "type": "group_membership_sync", "sync_run_id": "", "source_id": "", "group_email": "team@acme.example",
                "group_name": "The team", "member_emails": ["ann@acme.example"],
            }),
            document(
                "handbook",
                "c1",
                "The handbook",
                only(&[], &["team@acme.example"]),
            ),
            document(
                "plan",
                "c2",
                "The plan",
                only(&["ben@acme.example"], &["ghosts@acme.example"]),
            ),
            document(
                "notice",
                "c3",
                "The notice",
                json!({ "public": true, "users": [], "groups": [] }),
            ),
        ];
        let texts = [
            "how we work together",
            "what comes next",
            "the canteen is closed",
        ];
        let run = bring(&manager, &source, &texts, events, SyncType::Full).await;
        Self {
            manager,
            source,
            run,
        }
    }

    /// Returns a browser that has opened the printed address.
    async fn browser(&self) -> Browser {
        Browser::enter(&self.manager).await
    }
}

/// Runs a sync that stores texts, as `c1`, `c2` and so on, sends events, and completes.
async fn bring(
    manager: &Manager,
    source: &str,
    texts: &[&str],
    events: Vec<Value>,
    mode: SyncType,
) -> String {
    let (source, texts) = (
        source.to_owned(),
        texts
            .iter()
            .map(|&text| text.to_owned())
            .collect::<Vec<_>>(),
    );
    manager
        .store()
        .write(move |db| {
            let run = runs::insert(db, &source, mode, TriggerType::Manual)?;
            let mut events = Value::from(events);
            for (index, text) in texts.iter().enumerate() {
                let id = contents::put(db, &run.id, text)?;
                for event in events.as_array_mut().into_iter().flatten() {
                    if event["content_id"] == format!("c{}", index + 1) {
                        event["content_id"] = id.as_str().into();
                    }
                }
            }
            for event in events.as_array_mut().into_iter().flatten() {
                event["sync_run_id"] = run.id.as_str().into();
                event["source_id"] = source.as_str().into();
            }
            let events: Vec<_> = serde_json::from_value(events).expect("events of the protocol");
            apply::apply(db, &run.id, &source, &events)?;
            runs::save_checkpoint(db, &run.id, &json!({ "page": 1, "seen": { "a": 1 } }))?;
            runs::save_checkpoint(db, &run.id, &json!({ "page": 2, "seen": { "a": 1 } }))?;
            reports::put(db, &run.id, &report())?;
            runs::complete(db, &run.id)?;
            Ok::<_, StoreError>(run.id)
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn every_pane_is_a_whole_page_and_the_same_as_json() {
    let world = World::new().await;
    let browser = world.browser().await;
    for pane in PANES {
        let page = browser.page(&format!("/dev/{pane}")).await;
        assert!(page.contains("<main"), "{pane}");
        assert!(page.contains("aria-current=\"page\""), "{pane}");
        let json = browser.json(&format!("/dev/{pane}")).await;
        assert!(json.is_object(), "{pane}: {json}");
    }
    let sync = browser.json("/dev/sync").await;
    assert_eq!(sync["runs"][0]["effects"]["created"], 3);
    assert_eq!(sync["run"]["report"]["failures"][0]["item"], "broken.pdf");
    let documents = browser.json("/dev/documents").await;
    assert_eq!(documents["hits"]["total"], 3);
    assert_eq!(
        browser.json("/dev/contract").await["manifest"]["connector_id"],
        "acme"
    );
}

#[tokio::test]
async fn a_word_leads_to_a_pane_an_action_or_a_search() {
    let world = World::new().await;
    let browser = world.browser().await;
    let to = async |words: &str| {
        let answer = browser.json(&format!("/dev/go?go={words}")).await;
        let to = answer["to"].as_str().unwrap().to_owned();
        to.replace(&format!("source={}", world.source), "source=S")
    };
    assert_eq!(to("req").await, "/dev/requests?source=S");
    assert_eq!(to("Echo").await, "/dev/actions?source=S&action=echo");
    assert_eq!(
        to("project:ops%26x").await,
        "/dev/documents?source=S&q=project%3Aops%26x"
    );
    let answer = browser.get("/dev/go?go=sync", "text/html").await;
    assert_eq!(answer.status(), 303);
    assert!(
        browser
            .page("/dev/sync")
            .await
            .contains("action=\"/dev/go\"")
    );
}

#[tokio::test]
async fn every_pane_answers_when_it_has_no_data() {
    let manager = manager().await;
    let browser = Browser::enter(&manager).await;
    for pane in PANES {
        assert!(
            browser
                .page(&format!("/dev/{pane}"))
                .await
                .contains("<main"),
            "{pane}"
        );
        assert!(
            browser.json(&format!("/dev/{pane}")).await.is_object(),
            "{pane}"
        );
    }
}

#[tokio::test]
async fn the_run_shows_failed_and_skipped_items_with_reasons() {
    let world = World::new().await;
    let page = world
        .browser()
        .await
        .page(&format!("/dev/sync?run={}", world.run))
        .await;
    for expected in [
        "broken.pdf",
        "404 Not Found",
        "too large",
        "film.mp4",
        "4 GB",
        "/page",
        "<del>1</del>",
        "<ins>2</ins>",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
}

#[tokio::test]
async fn ann_and_ben_see_their_documents_with_the_right_reason() {
    let world = World::new().await;
    let browser = world.browser().await;
    let total = async |viewer: &str| {
        browser.json(&format!("/dev/documents?as={viewer}")).await["hits"]["total"].clone()
    };
    assert_eq!(total("ann@acme.example").await, 2);
    assert_eq!(total("ben@acme.example").await, 2);
    assert_eq!(total("eve@acme.example").await, 1);
    let all = browser.json("/dev/documents").await;
    let id = |title: &str| {
        let hits = all["hits"]["hits"].as_array().unwrap();
        let hit = hits.iter().find(|hit| hit["title"] == title).unwrap();
        hit["id"].as_str().unwrap().to_owned()
    };
    let verdict = async |title: &str, viewer: &str| {
        let shown = browser
            .json(&format!("/dev/documents?as={viewer}&doc={}", id(title)))
            .await;
        shown["document"]["access"]["verdict"].clone()
    };
    let ann = verdict("The handbook", "ann@acme.example").await;
    assert_eq!(
        (&ann["sees"], &ann["reason"]),
        (
            &json!(true),
            &json!("member of the group `team@acme.example`")
        )
    );
    let eve = verdict("The plan", "eve@acme.example").await;
    assert_eq!(eve["sees"], false);
    let reason = eve["reason"].as_str().unwrap();
    assert!(
        reason.contains("no source has sent `ghosts@acme.example`"),
        "{reason}"
    );
    assert_eq!(
        verdict("The notice", "eve@acme.example").await["reason"],
        "the document is public"
    );
}

#[tokio::test]
async fn a_document_that_is_not_found_is_explained_layer_by_layer() {
    let world = World::new().await;
    let browser = world.browser().await;
    let layers = async |query: &str| {
        let answer = browser
            .json(&format!("/dev/documents?tab=why&{query}"))
            .await;
        let layers = answer["layers"].as_array().unwrap().clone();
        let named = |layer: &Value| {
            (
                layer["layer"].as_str().unwrap().to_owned(),
                layer["is_answer"] == true,
            )
        };
        layers.iter().map(named).collect::<Vec<_>>()
    };
    let layer = |name: &str, is_answer| (name.to_owned(), is_answer);
    assert_eq!(layers("item=nowhere").await, [layer("never seen", true)]);
    assert_eq!(layers("item=broken.pdf").await, [layer("failed", true)]);
    assert_eq!(layers("item=film.mp4").await, [layer("skipped", true)]);
    assert_eq!(
        layers("item=handbook&as=ben@acme.example&q=together").await,
        [
            layer("stored", false),
            layer("visible", true),
            layer("words", false)
        ]
    );
    assert_eq!(
        layers("item=https://acme.example/handbook&as=ann@acme.example&q=canteen").await,
        [
            layer("stored", false),
            layer("visible", false),
            layer("words", true)
        ]
    );
}

#[tokio::test]
async fn a_doubt_is_dismissed_with_a_reason_until_it_counts_again() {
    let world = World::new().await;
    let browser = world.browser().await;
    let doubts = async || browser.json("/dev/sync").await["doubts"].clone();
    let first = doubts().await[0].clone();
    let path = format!("/dev/sync/doubt?source={}", world.source);
    let text = first["text"].as_str().unwrap();
    let act = async |fields: &[(&str, &str)]| requests::send(&browser, &path, fields).await;
    let (status, _) = act(&[("text", text), ("reason", " ")]).await;
    assert_eq!(status, 400);
    let (status, _) = act(&[("text", "something else"), ("reason", "why")]).await;
    assert_eq!(status, 404);
    let (status, _) = act(&[("text", text), ("reason", "a <b>trial")]).await;
    assert_eq!(status, 200);
    let all = doubts().await;
    let last = all.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["text"], &last["dismissed"]),
        (&first["text"], &json!("a <b>trial"))
    );
    let page = browser.page("/dev/sync").await;
    assert!(page.contains("dismissed: <bdi>a &lt;b&gt;trial"), "{page}");
    act(&[("text", text), ("withdraw", "1")]).await;
    assert_eq!(doubts().await[0], first);
}

#[tokio::test]
async fn doubts_name_suspicious_facts() {
    let world = World::new().await;
    let browser = world.browser().await;
    let doubts = browser.json("/dev/sync").await["doubts"].clone();
    let texts: Vec<_> = doubts
        .as_array()
        .unwrap()
        .iter()
        .map(|doubt| doubt["text"].as_str().unwrap())
        .collect();
    let holds = |part: &str| texts.iter().any(|text| text.contains(part));
    assert!(
        holds("`ghosts@acme.example` may read documents"),
        "{texts:?}"
    );
    assert!(holds("The operator `colour:` finds nothing"), "{texts:?}");
    assert!(!holds("`project:`"), "{texts:?}");
    assert!(
        !holds("public"),
        "one public document of three is no doubt: {texts:?}"
    );
}

#[tokio::test]
async fn a_checkpoint_is_rewound_and_an_invalid_one_changes_nothing() {
    let world = World::new().await;
    let browser = world.browser().await;
    let checkpoint = async || browser.json("/dev/sync").await["checkpoint"].clone();
    assert_eq!(checkpoint().await["page"], 2);
    let saved = browser.json("/dev/sync").await["run"]["checkpoints"].clone();
    let first = saved.as_array().unwrap().last().unwrap()["id"].to_string();
    let source = format!("?source={}", world.source);
    browser
        .send(&format!("/dev/sync/rewind{source}"), &[("saved", &first)])
        .await;
    assert_eq!(checkpoint().await["page"], 1);

    let save = format!("/dev/sync/checkpoint{source}");
    browser.send(&save, &[("checkpoint", "{ \"page\": ")]).await;
    let page = browser.page("/dev/sync").await;
    assert!(
        page.contains("the new one is not JSON at line 1, column"),
        "{page}"
    );
    assert_eq!(checkpoint().await["page"], 1);
    browser
        .send(&save, &[("checkpoint", "{ \"page\": 7 }")])
        .await;
    assert_eq!(checkpoint().await["page"], 7);
    browser
        .send(&format!("/dev/sync/rewind{source}"), &[("saved", "99999")])
        .await;
    assert!(
        browser
            .page("/dev/sync")
            .await
            .contains("no saved checkpoint `99999`")
    );
}

#[tokio::test]
async fn a_run_is_started_and_stopped_from_the_page() {
    let world = World::new().await;
    let browser = world.browser().await;
    let source = format!("?source={}", world.source);
    browser
        .send(&format!("/dev/sync/begin{source}"), &[("mode", "full")])
        .await;
    let runs = browser.json("/dev/sync").await["runs"].clone();
    assert_eq!(
        (&runs[0]["run"]["status"], &runs[0]["run"]["sync_type"]),
        (&json!("running"), &json!("full"))
    );
    let run = runs[0]["run"]["id"].as_str().unwrap();
    browser
        .send(&format!("/dev/sync/cancel{source}"), &[("run", run)])
        .await;
    assert_eq!(
        browser.json("/dev/sync").await["runs"][0]["run"]["status"],
        "cancelled"
    );
}

#[tokio::test]
async fn a_source_is_saved_and_removed_and_invalid_settings_are_refused() {
    let world = World::new().await;
    let browser = world.browser().await;
    let source = format!("/dev/source?source={}", world.source);
    browser
        .send(
            &source,
            &[
                ("name", "Acme"),
                ("json", "{ \"api_url\": \"https://new.example\" }"),
            ],
        )
        .await;
    let config = async || browser.json("/dev/source").await["source"]["source"]["config"].clone();
    assert_eq!(config().await, json!({ "api_url": "https://new.example" }));
    for (text, complaint) in [("[]", "not a JSON object"), ("{", "not JSON at line 1")] {
        browser
            .send(&source, &[("name", "Acme"), ("json", text)])
            .await;
        assert!(
            browser.page("/dev/source").await.contains(complaint),
            "{text}"
        );
    }
    browser
        .send(&source, &[("name", " "), ("json", "{}")])
        .await;
    assert!(
        browser
            .page("/dev/source")
            .await
            .contains("A source needs a name")
    );
    assert_eq!(config().await, json!({ "api_url": "https://new.example" }));
    browser
        .send(&format!("/dev/source/remove?source={}", world.source), &[])
        .await;
    assert_eq!(browser.json("/dev/source").await["sources"], json!([]));
    assert_eq!(browser.json("/dev/documents").await["hits"]["total"], 0);
}

#[tokio::test]
async fn a_source_is_duplicated_and_its_secret_is_forgotten() {
    let world = World::new().await;
    let browser = world.browser().await;
    let of = format!("/dev/source?source={}", world.source);
    assert_eq!(browser.json(&of).await["source"]["has_credential"], true);
    let form = browser.page(&format!("{of}&new=copy")).await;
    for part in ["value=\"Acme (copy)\"", "https://acme.example"] {
        assert!(form.contains(part), "{part}: {form}");
    }
    let settings = json!({ "api_url": "https://acme.example" }).to_string();
    browser
        .send(
            &format!("{of}&new=1"),
            &[
                ("name", "Acme (copy)"),
                ("as_json", "1"),
                ("json", &settings),
            ],
        )
        .await;
    let sources = browser.json("/dev/source").await["sources"].clone();
    let mut names: Vec<_> = sources
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["source"]["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["Acme", "Acme (copy)"]);

    browser
        .send(
            &format!("/dev/source/sign-out?source={}", world.source),
            &[],
        )
        .await;
    assert_eq!(browser.json(&of).await["source"]["has_credential"], false);
    let page = browser.page(&of).await;
    assert!(
        page.contains("The source has no secret") && !page.contains("Forget it"),
        "{page}"
    );
}

#[tokio::test]
async fn the_manifest_is_a_file_that_is_the_same_for_every_process() {
    let world = World::new().await;
    let browser = world.browser().await;
    let answer = browser.get("/dev/contract/manifest", "*/*").await;
    assert_eq!(
        answer.headers()["content-disposition"],
        "attachment; filename=\"manifest.json\""
    );
    let manifest: Value = answer.json().await.unwrap();
    assert_eq!(manifest["connector_id"], "acme");
    assert!(
        manifest.get("connector_url").is_none() && manifest.get("version").is_none(),
        "{manifest}"
    );
    let none = manager().await;
    let answer = Browser::enter(&none)
        .await
        .get("/dev/contract/manifest", "*/*")
        .await;
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn a_change_reaches_the_script_as_an_event_that_browsers_do_not_drop() {
    let world = World::new().await;
    let browser = world.browser().await;
    let mut answer = browser.get("/dev/events", "text/event-stream").await;
    let mut said = String::new();
    while !said.contains("\n\n") {
        let chunk = answer.chunk().await.unwrap().unwrap();
        said += std::str::from_utf8(&chunk).unwrap();
    }
    let data = said.lines().find_map(|line| line.strip_prefix("data:"));
    assert!(said.contains("event: change"), "{said}");
    // An event without data is none, says the standard.
    assert!(data.is_some_and(|data| !data.trim().is_empty()), "{said}");
}

#[tokio::test]
async fn a_document_of_50_mb_keeps_the_page_usable() {
    let world = World::new().await;
    let line = format!("{}\n", "glaciers move slowly ".repeat(3_000));
    let text = line.repeat((50 << 20) / line.len() + 1);
    let everybody = json!({ "public": true, "users": [], "groups": [] });
    let event = document("huge", "c1", "The huge one", everybody);
    let events = vec![event];
    bring(
        &world.manager,
        &world.source,
        &[&text],
        events,
        SyncType::Full,
    )
    .await;
    let browser = world.browser().await;
    let paths = [
        "/dev/documents",
        "/dev/documents?doc=huge",
        "/dev/documents?q=glaciers",
        "/dev/sync",
    ];
    for path in paths {
        let began = std::time::Instant::now();
        let page = browser.page(path).await;
        let took = began.elapsed();
        println!("{path}: {} bytes in {} ms", page.len(), took.as_millis());
        assert!(page.len() < 400_000, "{path}: {} bytes", page.len());
        // Far above what it takes, as the machine may be busy.
        assert!(took.as_secs() < 10, "{path}: {took:?}");
    }
    let shown = browser.json("/dev/documents?doc=huge").await;
    let bytes = shown["document"]["text_bytes"].as_u64().unwrap();
    assert!(bytes > 50 << 20, "{bytes}");
    assert!(shown.to_string().len() < 400_000);
}
