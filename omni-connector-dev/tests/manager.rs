//! Tests promises of the manager beyond the recordings of the real one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    routing::{MethodRouter, get, post},
};
use omni_connector::{AuthType, HttpClient, ServiceCredential};
use omni_connector_dev::{
    ActionError, Manager, Options, Storage,
    store::{credentials, operators},
};
use reqwest::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::net::TcpListener;

fn options() -> Options {
    let mut options = Options::default();
    options.runs.tick = None;
    options
}

/// Serves on loopback until the test is over.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn connector() -> Router {
    connector_with(post(async |Json(call): Json<Value>| {
        Json(json!({ "status": "success", "result": call["params"] }))
    }))
}

fn connector_with(action: MethodRouter) -> Router {
    Router::new()
        .route("/health", get(async || "healthy"))
        .route("/action", action)
}

async fn register(manager: &Manager, connector_id: &str, url: &str) {
    let manifest = json!({
        "name": connector_id, "display_name": "Acme", "version": "1", "sync_modes": ["full"],
        "connector_id": connector_id, "connector_url": url, "source_types": ["github"],
        "actions": [{
            "name": "echo", "description": "d", "input_schema": {}, "mode": "read", "source_types": ["github"]
        }],
    });
    let url = format!("{}/sdk/register", manager.url());
    let answer = HttpClient::new()
        .post(url)
        .json(&manifest)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

/// Returns the bytes that this thread has written so far.
#[cfg(target_os = "linux")]
fn written() -> u64 {
    let counts = std::fs::read_to_string("/proc/thread-self/io").unwrap();
    let mut lines = counts.lines();
    let line = lines.find_map(|line| line.strip_prefix("wchar: ")).unwrap();
    line.parse().unwrap()
}

/// The checkpoint of a large source has megabytes, and every request of its connector updates the run.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn an_update_of_a_run_does_not_write_its_checkpoint() {
    use omni_connector_dev::store::{Store, StoreError, contents, runs};

    const UPDATES: u64 = 100;
    let folder = tempfile::tempdir().unwrap();
    let mut options = options();
    options.storage = Storage::Folder(folder.path().to_owned());
    let manager = Manager::start(options).await.unwrap();
    let source = manager.source("Big", "github", json!({})).await.unwrap();
    let store: &Store = manager.store();
    let checkpoint = Value::from("x".repeat(8 << 20));
    let run = store
        .write(move |db| {
            let run = runs::insert(
                db,
                &source.id,
                omni_connector::SyncType::Full,
                runs::TriggerType::Manual,
            )?;
            runs::save_checkpoint(db, &run.id, &checkpoint)?;
            Ok::<_, StoreError>(run.id)
        })
        .await
        .unwrap();
    let before = store
        .write(|_| Ok::<_, StoreError>(written()))
        .await
        .unwrap();
    for number in 0..UPDATES {
        let run = run.clone();
        store
            .write(move |db| {
                runs::touch(db, &run)?;
                runs::add_scanned(db, &run, 1)?;
                runs::add_updated(db, &run, 1)?;
                contents::put(db, &run, &format!("text {number}"))?;
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
    }
    let after = store
        .write(|_| Ok::<_, StoreError>(written()))
        .await
        .unwrap();
    let each = (after - before) / UPDATES;
    assert!(each < 200 << 10, "{each} bytes for each update");
    manager.shutdown().await;
}

#[tokio::test]
async fn an_action_needs_a_credential_row_even_if_it_needs_no_credential() {
    let manager = Manager::start(options()).await.unwrap();
    let url = serve(connector()).await;
    register(&manager, "acme", &url).await;
    let source = manager
        .source("s", "github", json!({ "repo": "a" }))
        .await
        .unwrap();
    let call = || manager.call_action(&source.id, None, "echo", json!({ "x": 1 }));

    let refused = call().await.unwrap_err();
    assert!(matches!(refused, ActionError::NoCredentials(id) if id == source.id));

    manager
        .put_credential(&source.id, None, "github", AuthType::ApiKey, json!({}))
        .await
        .unwrap();
    let answer = call().await.unwrap();
    assert_eq!(answer.status, 200);
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        body,
        json!({ "status": "success", "result": { "repo": "a", "x": 1 } })
    );
}

#[tokio::test]
async fn an_expiring_token_is_refreshed_once_for_all_waiting_requests() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let token = async move || {
        counter.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(300)).await;
        Json(json!({ "access_token": "new", "refresh_token": "rotated", "expires_in": 3600 }))
    };
    let url = serve(Router::new().route("/token", post(token))).await;
    let manager = Manager::start(options()).await.unwrap();
    let source = manager.source("s", "github", json!({})).await.unwrap();
    let secret = json!({
        "access_token": "old", "refresh_token": "works once", "client_id": "app", "token_uri": format!("{url}/token"),
    });
    let mut row = credentials::new(&source.id, None, "github", AuthType::Oauth, secret);
    row.expires_at = Some(OffsetDateTime::now_utc() + Duration::from_secs(200));
    manager
        .store()
        .write(move |db| credentials::put(db, &row))
        .await
        .unwrap();

    let address = format!("{}/sdk/credentials/{}", manager.url(), source.id);
    let http = HttpClient::new();
    let read = async || -> ServiceCredential {
        http.get(&address)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    let (a, b, c) = tokio::join!(read(), read(), read());
    for row in [a, b, c, read().await] {
        assert_eq!(row.credentials["access_token"], "new");
        assert_eq!(row.credentials["refresh_token"], "rotated");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_restarted_manager_knows_connectors_but_prefers_those_that_register_again() {
    let folder = tempfile::tempdir().unwrap();
    let kept = || {
        let mut options = options();
        options.storage = Storage::Folder(folder.path().to_owned());
        options.runs.tick = Some(Duration::from_hours(1));
        options
    };
    let (old, new) = (serve(connector()).await, serve(connector()).await);
    let manager = Manager::start(kept()).await.unwrap();
    register(&manager, "old", &old).await;
    manager.shutdown().await;

    let manager = Manager::start(kept()).await.unwrap();
    let listed = || async {
        let url = format!("{}/connectors", manager.url());
        let list: Vec<Value> = HttpClient::new()
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        list.into_iter()
            .map(|entry| entry["manifest"]["connector_id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed().await, ["old"]);
    assert_eq!(manager.registration("old", Duration::ZERO).await, None);
    assert_eq!(manager.any_registration(Duration::ZERO).await, None);

    register(&manager, "new", &new).await;
    assert_eq!(listed().await, ["new", "old"]);
    assert!(manager.registration("new", Duration::ZERO).await.is_some());
}

#[tokio::test]
async fn a_registration_expires() {
    let mut short = options();
    short.registration_ttl = Duration::from_secs(1);
    let manager = Manager::start(short).await.unwrap();
    let url = serve(connector()).await;
    register(&manager, "acme", &url).await;
    assert!(manager.registration("acme", Duration::ZERO).await.is_some());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(manager.registration("acme", Duration::ZERO).await, None);
}

#[tokio::test]
async fn a_text_that_spells_an_escaped_nul_is_a_text() {
    let manager = Manager::start(options()).await.unwrap();
    let url = serve(Router::new().route("/health", get(async || "healthy"))).await;
    register(&manager, "acme", &url).await;
    let source = manager.source("s", "github", json!({})).await.unwrap().id;
    let http = HttpClient::new();
    let send = async |method: Method, path: &str, body: Value| {
        let url = format!("{}{path}", manager.url());
        let answer = http.request(method, url).json(&body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let create = json!({ "source_id": source, "sync_type": "full" });
    let (status, run) = send(Method::POST, "/sdk/sync/create", create).await;
    assert_eq!(status, 200, "{run}");
    let run = &run["sync_run_id"];
    let checkpoint = format!("/sdk/sync/{}/checkpoint", run.as_str().unwrap());

    for (text, expected) in [
        (r"\u0000", 200),
        (r"\\u0000", 200),
        ("a\0b", 500),
        ("\\\0", 500),
    ] {
        let event = json!({
            "type": "group_membership_sync", "sync_run_id": run, "source_id": source, "group_email": "g@example.com",
            "group_name": text, "member_emails": [],
        });
        let one = json!({ "sync_run_id": run, "source_id": source, "event": event });
        let batch = json!({ "sync_run_id": run, "source_id": source, "events": [event] });
        for (method, path, body) in [
            (Method::POST, "/sdk/events", one),
            (Method::POST, "/sdk/events/batch", batch),
            (Method::PUT, &checkpoint, json!({ "at": [text] })),
            (Method::PUT, &checkpoint, json!({ text: 1 })),
        ] {
            let (status, answer) = send(method, path, body).await;
            assert_eq!(status, expected, "{path} with {text:?}: {answer}");
        }
    }
}

#[tokio::test]
async fn no_page_of_another_site_can_read_a_secret() {
    let manager = Manager::start(options()).await.unwrap();
    let source = manager.source("s", "github", json!({})).await.unwrap();
    let secret = json!({ "token": "hush" });
    manager
        .put_credential(&source.id, None, "github", AuthType::ApiKey, secret)
        .await
        .unwrap();
    let url = format!("{}/sdk/credentials/{}", manager.url(), source.id);
    let http = HttpClient::new();
    let ask = async |method: Method, header: &str, value: &str| {
        let request = http.request(method, &url).header(header, value);
        let request = request.header("access-control-request-method", "GET");
        let answer = request.send().await.unwrap();
        let allowed = answer.headers().get("access-control-allow-origin");
        assert_eq!(allowed, None, "{value}");
        answer.status().as_u16()
    };
    for method in [Method::GET, Method::OPTIONS] {
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1:5173",
            "http://[::1]:8080",
            "https://evil.example",
            "http://127.0.0.1.evil.example:80",
            "null",
            "",
        ] {
            let status = ask(method.clone(), "origin", origin).await;
            let expected = if method == Method::OPTIONS { 200 } else { 403 };
            assert_eq!(status, expected, "{method} {origin}");
        }
    }
    assert_eq!(ask(Method::GET, "origin", &manager.url()).await, 200);
    for (site, status) in [
        ("none", 200),
        ("same-origin", 200),
        ("same-site", 403),
        ("cross-site", 403),
        ("Cross-Site", 403),
    ] {
        let answer = ask(Method::GET, "sec-fetch-site", site).await;
        assert_eq!(answer, status, "{site}");
    }
}

#[tokio::test]
async fn no_page_of_another_site_makes_the_manager_do_anything() {
    let manager = Manager::start(options()).await.unwrap();
    let http = HttpClient::new();
    let form = || {
        reqwest::multipart::Form::new()
            .text("sync_run_id", "r")
            .text("mime_type", "text/plain")
            .text("data", "words")
    };
    let extract = |origin: Option<&str>| {
        let request = http.post(format!("{}/sdk/extract-content", manager.url()));
        let request = request.multipart(form());
        match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        }
    };
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status();
    // A browser sends such a form without a preflight request.
    assert_eq!(status(extract(Some("https://evil.example"))).await, 403);
    assert_eq!(status(extract(Some("http://localhost:3000"))).await, 403);
    assert_eq!(status(extract(None)).await, 200);

    let visit = |path: &str| {
        let request = http.get(format!("{}{path}", manager.url()));
        request.header("sec-fetch-site", "cross-site")
    };
    assert_eq!(
        status(visit("/api/oauth/start?source_types=github")).await,
        403
    );
    // A provider may redirect here; an unknown state is refused by the sign-in itself.
    assert_eq!(
        status(visit("/api/oauth/callback?state=x&code=y")).await,
        400
    );
}

#[tokio::test]
async fn a_foreign_host_name_does_not_reach_the_manager() {
    let manager = Manager::start(options()).await.unwrap();
    let http = HttpClient::new();
    let ask = async |host: &str| {
        let request = http.get(format!("{}/sources", manager.url()));
        let answer = request.header("host", host).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let address = manager.url().replace("http://", "");
    for host in [
        &address,
        "localhost",
        "LOCALHOST:3004",
        "127.0.0.1",
        "127.0.0.2:3004",
        "[::1]:3004",
    ] {
        assert_eq!(ask(host).await.0, 200, "{host}");
    }
    for host in [
        "evil.example",
        "evil.example:3004",
        "localhost.evil.example",
        "10.0.0.7:3004",
        "[::2]",
    ] {
        let (status, text) = ask(host).await;
        assert_eq!(status, 403, "{host}: {text}");
        assert!(
            text.contains(host) && text.contains("http://127.0.0.1"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_connector_cannot_open_its_answers_to_other_sites() {
    let manager = Manager::start(options()).await.unwrap();
    let open = async || {
        (
            [("access-control-allow-origin", "*")],
            Json(json!({ "status": "success" })),
        )
    };
    let url = serve(connector_with(post(open))).await;
    register(&manager, "acme", &url).await;
    let source = manager.source("s", "github", json!({})).await.unwrap().id;
    manager
        .put_credential(&source, None, "github", AuthType::ApiKey, json!({}))
        .await
        .unwrap();
    let answer = HttpClient::new()
        .post(format!("{}/action", manager.url()))
        .header("origin", manager.url())
        .json(&json!({ "source_id": source, "action": "echo" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers().get("access-control-allow-origin"), None);
}

#[tokio::test]
async fn operators_of_a_gone_connector_are_kept_with_those_of_another() {
    let mut options = options();
    options.registration_ttl = Duration::from_millis(50);
    let manager = Manager::start(options).await.unwrap();
    let url = serve(connector()).await;
    for (name, operator) in [("acme", "project"), ("books", "shelf"), ("acme", "owner")] {
        let manifest = json!({
            "name": name, "display_name": name, "version": "1", "sync_modes": ["full"], "connector_id": name,
            "connector_url": url, "source_types": ["github"], "actions": [],
            "search_operators": [{ "operator": operator, "attribute_key": operator, "value_type": "text" }],
        });
        let request = HttpClient::new().post(format!("{}/sdk/register", manager.url()));
        assert_eq!(request.json(&manifest).send().await.unwrap().status(), 200);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let known = manager.store().read(operators::all).await.unwrap();
    let known: Vec<_> = known.into_iter().map(|known| known.operator).collect();
    assert_eq!(
        known,
        ["owner", "shelf"],
        "a connector's own are replaced, others stay"
    );
}

#[tokio::test]
async fn files_without_a_text_are_named_with_the_reason() {
    let manager = Manager::start(options()).await.unwrap();
    let source = manager.source("s", "github", json!({})).await.unwrap().id;
    let http = HttpClient::new();
    let create = json!({ "source_id": source, "sync_type": "full" });
    let create = http
        .post(format!("{}/sdk/sync/create", manager.url()))
        .json(&create);
    let run: Value = create.send().await.unwrap().json().await.unwrap();
    let run = run["sync_run_id"].as_str().unwrap().to_owned();
    for (name, mime_type, data) in [
        ("a.png", "image/png", "\u{89}PNG"),
        ("b.pdf", "application/pdf", "garbage"),
        ("c.txt", "text/plain", "words"),
    ] {
        let form = reqwest::multipart::Form::new()
            .text("sync_run_id", run.clone())
            .text("mime_type", mime_type)
            .text("filename", name)
            .text("data", data);
        let request = http.post(format!("{}/sdk/extract-content", manager.url()));
        assert_eq!(
            request.multipart(form).send().await.unwrap().status(),
            200,
            "{name}"
        );
    }
    let url = format!("{}/dev/api/runs/{run}/textless?limit=5", manager.url());
    let told: Value = http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(told["total"], 2, "{told}");
    let names: Vec<_> = told["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["name"])
        .collect();
    assert_eq!(names, ["a.png", "b.pdf"]);
    assert_eq!(
        told["files"][0]["reason"],
        "nothing of `image/png` could be read"
    );
    // The connector may want the text only, and give no name.
    for (mime_type, data) in [
        ("application/zip", "PK\u{3}\u{4}"),
        ("video/mp4", "\0\0\0\u{18}ftypmp42"),
        ("application/octet-stream", "\u{1}\u{2}\0"),
        ("text/plain", " \n\t"),
    ] {
        let form = reqwest::multipart::Form::new()
            .text("sync_run_id", run.clone())
            .text("mime_type", mime_type)
            .text("data", data);
        let request = http.post(format!("{}/sdk/extract-text", manager.url()));
        let answer = request.multipart(form).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{mime_type}");
        let url = format!("{}/dev/api/runs/{run}/textless?limit=9", manager.url());
        let told: Value = http.get(url).send().await.unwrap().json().await.unwrap();
        let last = told["files"].as_array().unwrap().last();
        assert_eq!(last.unwrap()["name"], mime_type, "{told}");
    }
}
