//! Webhook calls: verified, answered at once, and merged into as few runs as possible.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, http::StatusCode, routing::post};
use omni_connector::{Runner, ServerConfig, prelude::*};
use ring::hmac;
use serde_json::json;

use crate::support::{Instead, Manager, Process, Served, serve_with};

#[derive(Deserialize)]
struct Key {
    webhook_secret: SecretString,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    about: Option<String>,
    #[serde(default)]
    delete: Option<String>,
    #[serde(default)]
    act: Option<String>,
}

/// A tracker that calls back.
#[connector(name = "hooked", source_types = [Web], sync_modes = [full, incremental], credentials = Key, state = Value)]
#[derive(Default)]
struct Hooked {
    syncs: Arc<AtomicUsize>,
}

#[connector]
impl Hooked {
    #[sync]
    async fn sync(&self, ctx: SyncContext) -> Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        while ctx.manager().source(ctx.source_id()).await?.config["busy"] == true {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    #[webhook(path = "/hooks/acme")]
    async fn push(&self, request: WebhookRequest, manager: ManagerClient) -> Result<Webhook> {
        if *request.method() == "GET" {
            let challenge = request.query().unwrap_or_default().to_owned();
            return Ok(Webhook::ignore().answer(challenge));
        }
        let secret = "s3cret".to_owned().into();
        request.verify_hmac_sha256(&secret, "x-hub-signature-256")?;
        let event: Event = request.json()?;
        match event.act.as_deref() {
            Some("panic") => panic!("fell over s3cret"),
            Some("block") => std::thread::sleep(Duration::from_secs(10)),
            Some("fail") => bail!("https://api.example.com?token=s3cret is down"),
            _ => {}
        }
        let Some(about) = event.about else {
            return Ok(Webhook::ignore());
        };
        ensure!(!manager.url().is_empty());
        Ok(match event.delete {
            Some(document) => Webhook::run(about, move |ctx| async move {
                match document.as_str() {
                    "panic" => panic!("no such document"),
                    "fail" => bail!("it cannot be deleted"),
                    _ => Ok(ctx.delete(document).await?),
                }
            }),
            None => Webhook::sync(about),
        })
    }

    #[webhook(path = "/hooks/acme/{source_id}/{kind}")]
    async fn of_source(
        &self,
        request: WebhookRequest,
        source: Source,
        key: Credentials<Key>,
    ) -> Result<Webhook> {
        request.verify_hmac_sha256(&key.webhook_secret, "x-signature")?;
        let kind = request.parameter("kind").unwrap_or_default().to_owned();
        Ok(Webhook::sync(source.id).answer((StatusCode::ACCEPTED, kind)))
    }
}

fn quick(config: &mut ServerConfig) {
    config.webhook_window = Duration::from_millis(100);
    config.patience.first_pause = Duration::from_millis(50);
    config.patience.longest_pause = Duration::from_millis(50);
    config.patience.in_all = Duration::from_secs(5);
}

async fn hooked(manager: &Manager) -> (Served, Arc<AtomicUsize>) {
    manager.give_credentials(&json!({ "webhook_secret": "of the source" }));
    let connector = Hooked::default();
    let syncs = Arc::clone(&connector.syncs);
    (serve_with(connector, manager, quick).await, syncs)
}

fn sign(secret: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    let digits = tag.as_ref().iter();
    digits.fold("sha256=".to_owned(), |digits, byte| {
        format!("{digits}{byte:02x}")
    })
}

async fn call(connector: &Served, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let request = connector
        .http
        .post(format!("{}/hooks/acme", connector.url))
        .header("x-hub-signature-256", sign("s3cret", &body))
        .body(body);
    let answer = request.send().await.unwrap();
    (
        answer.status().as_u16(),
        answer.json().await.unwrap_or_default(),
    )
}

#[tokio::test]
async fn only_a_signed_webhook_call_is_accepted() {
    let manager = Manager::start().await;
    let (connector, _) = hooked(&manager).await;
    let event = json!({ "about": "S1" });
    let (status, body) = connector.post("/hooks/acme", event.to_string()).await;
    assert_eq!(status, 401, "{body}");
    assert_eq!(
        body,
        json!({ "error": "the header `x-hub-signature-256` is missing" })
    );
    let answer = connector
        .http
        .post(format!("{}/hooks/acme", connector.url))
        .header("x-hub-signature-256", sign("another", &event.to_string()))
        .body(event.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(connector.post("/hooks/other", "").await.0, 404);
    assert_eq!(connector.get("/hooks/acme?challenge-7").await.0, 200);
    assert_eq!(
        call(&connector, &json!({})).await,
        (200, json!({ "status": "ignored" }))
    );
    let (status, body) = call(&connector, &json!({ "about": 7 })).await;
    assert_eq!(status, 400);
    assert_eq!(
        body["error"],
        "invalid webhook call: `about` is of the wrong type, expected a string"
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        manager.calls("webhook/notify").is_empty(),
        "nobody asked for a run"
    );
}

#[tokio::test]
async fn an_error_in_a_webhook_is_its_answer_without_secrets() {
    let manager = Manager::start().await;
    let (connector, _) = hooked(&manager).await;
    let (status, body) = call(&connector, &json!({ "act": "fail" })).await;
    assert_eq!(
        (status, &body["error"]),
        (
            500,
            &json!("https://api.example.com?token=[redacted] is down")
        )
    );
    let (status, body) = call(&connector, &json!({ "act": "panic" })).await;
    assert_eq!(status, 500);
    assert!(
        body["error"]
            .as_str()
            .unwrap()
            .starts_with("the webhook panicked at "),
        "{body}"
    );
    assert_eq!(connector.get("/health").await.0, 200);
}

#[tokio::test]
async fn a_webhook_of_a_source_gets_its_source_and_credentials() {
    let manager = Manager::start().await;
    let (connector, _) = hooked(&manager).await;
    let call = async |source: &str, secret: &str| {
        let request = connector
            .http
            .post(format!("{}/hooks/acme/{source}/page", connector.url))
            .header("x-signature", sign(secret, "{}"))
            .body("{}");
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(call("S1", "of the source").await, (202, "page".to_owned()));
    assert_eq!(call("S1", "s3cret").await.0, 401);
    assert_eq!(call("S9", "of the source").await.0, 404);
    assert_eq!(manager.told_of("webhook/notify").await["source_id"], "S1");
    manager.change_source("is_active", json!(false));
    assert_eq!(call("S1", "of the source").await.0, 404);
}

#[tokio::test]
async fn calls_within_the_window_become_one_run() {
    let manager = Manager::start().await;
    manager.give_credentials(&json!({ "webhook_secret": "of the source" }));
    // Long enough for all calls on a slow machine.
    let connector = serve_with(Hooked::default(), &manager, |config| {
        quick(config);
        config.webhook_window = Duration::from_secs(3);
    })
    .await;
    for _ in 0..20 {
        let answer = call(&connector, &json!({ "about": "S1" })).await;
        assert_eq!(answer, (200, json!({ "status": "accepted" })));
    }
    manager.told_of("webhook/notify").await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(manager.calls("webhook/notify").len(), 1);
    call(&connector, &json!({ "about": "S1" })).await;
    manager.told_times("webhook/notify", 2).await;
}

#[tokio::test]
async fn a_call_during_a_run_becomes_one_run_after_it() {
    let manager = Manager::start().await;
    manager.change_source("config", json!({ "busy": true }));
    let (connector, _) = hooked(&manager).await;
    connector.start("R1", "incremental").await;
    for _ in 0..5 {
        call(&connector, &json!({ "about": "S1" })).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        manager.calls("webhook/notify").is_empty(),
        "a run was under way"
    );
    manager.change_source("config", json!({}));
    manager.told_of("webhook/notify").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(manager.calls("webhook/notify").len(), 1);
}

#[tokio::test]
async fn a_sync_refused_as_already_running_is_requested_again() {
    let manager = Manager::start().await;
    let (connector, _) = hooked(&manager).await;
    for _ in 0..2 {
        let error = "Failed to trigger sync: Sync already running for source: S1";
        manager.instead(
            "webhook/notify",
            Instead::Answer(500, json!({ "error": error })),
        );
    }
    call(&connector, &json!({ "about": "S1" })).await;
    manager.told_of("webhook/notify").await;
    // A permanent error is not retried.
    let error = "Failed to trigger sync: Source is inactive: S1";
    manager.instead(
        "webhook/notify",
        Instead::Answer(500, json!({ "error": error })),
    );
    call(&connector, &json!({ "about": "S1" })).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(manager.calls("webhook/notify").len(), 1);
}

#[tokio::test]
async fn a_one_off_run_is_reported_and_keeps_the_checkpoint() {
    let manager = Manager::start().await;
    manager.change_source("checkpoint", json!({ "cursor": "kept" }));
    manager.run_ids(["ONE", "TWO"]);
    let (connector, syncs) = hooked(&manager).await;
    call(&connector, &json!({ "about": "S1", "delete": "d1" })).await;
    manager.told_of("ONE/complete").await;
    assert_eq!(
        manager.calls("sync/create")[0].body,
        json!({ "source_id": "S1", "sync_type": "incremental" })
    );
    assert_eq!(manager.documents(), ["d1"]);
    assert_eq!(
        manager.calls("ONE/checkpoint")[0].body,
        json!({ "cursor": "kept" })
    );
    connector.ended("ONE").await;
    assert_eq!(connector.get("/sync/ONE/report").await.1["deleted"], 1);
    assert_eq!(
        syncs.load(Ordering::Relaxed),
        0,
        "the source itself was not synced"
    );
}

#[tokio::test]
async fn one_off_runs_follow_each_other_and_fail_alone() {
    let manager = Manager::start().await;
    manager.run_ids(["A", "B", "C", "D"]);
    let (connector, _) = hooked(&manager).await;
    let busy = json!({ "error": "Sync already running for source: S1" });
    manager.instead("sync/create", Instead::Answer(409, busy));
    for document in ["d1", "fail", "panic", "d2"] {
        let started = Instant::now();
        call(&connector, &json!({ "about": "S1", "delete": document })).await;
        assert!(started.elapsed() < Duration::from_secs(1));
    }
    manager.told_of("D/complete").await;
    assert_eq!(manager.documents(), ["d1", "d2"]);
    assert_eq!(
        manager.told_of("B/fail").await["error"],
        "it cannot be deleted"
    );
    let panic = manager.told_of("C/fail").await["error"].to_string();
    assert!(panic.contains("no such document"), "{panic}");
}

#[tokio::test]
async fn what_a_webhook_asks_for_waits_for_as_long_as_the_manager_is_busy() {
    let manager = Manager::start().await;
    manager.give_credentials(&json!({ "webhook_secret": "of the source" }));
    let impatient = |config: &mut ServerConfig| {
        quick(config);
        config.patience.in_all = Duration::from_millis(100);
    };
    let connector = serve_with(Hooked::default(), &manager, impatient).await;
    for _ in 0..20 {
        let busy = json!({ "error": "Concurrency limit of 10 running syncs reached" });
        manager.instead("webhook/notify", Instead::Answer(429, busy));
    }
    for status in [429, 502, 503, 504].repeat(5) {
        let away = json!({ "message": "come again" });
        manager.instead("webhook/notify", Instead::Answer(status, away));
    }
    call(&connector, &json!({ "about": "S1" })).await;
    manager.told_of("webhook/notify").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_webhook_that_blocks_its_thread_is_answered_in_time() {
    let manager = Manager::start().await;
    let (connector, _) = hooked(&manager).await;
    let (status, answer) = call(&connector, &json!({ "act": "block" })).await;
    assert_eq!(status, 504, "{answer}");
    let error = answer["error"].as_str().unwrap();
    assert!(error.contains("did not answer within 9 s"), "{error}");
}

#[tokio::test]
async fn a_source_that_is_switched_off_gets_no_one_off_run() {
    let manager = Manager::start().await;
    manager.run_ids(["OFF"]);
    let (connector, _) = hooked(&manager).await;
    manager.change_source("is_active", json!(false));
    call(&connector, &json!({ "about": "S1", "delete": "d1" })).await;
    let failed = manager.told_of("OFF/fail").await["error"].to_string();
    assert!(failed.contains("is switched off"), "{failed}");
    assert!(manager.documents().is_empty());
}

#[tokio::test]
#[ignore = "a process of the test below"]
async fn served_with_extra_routes() {
    let extra = post(async |runner: Runner| {
        let run = Webhook::run("S1", |ctx| async move {
            ctx.cancelled().await;
            Ok(())
        });
        runner.start(run).map_err(|error| error.to_string())
    });
    let routes = Router::new().route("/extra", extra);
    let served = omni_connector::serve_with_extra_routes(Hooked::default(), routes).await;
    served.unwrap();
}

#[tokio::test]
async fn a_run_of_an_extra_route_is_probed_and_can_be_cancelled() {
    let manager = Manager::start().await;
    manager.run_ids(["ONE"]);
    let process = Process::start("webhooks::served_with_extra_routes", &manager, &[]);
    let connector = Served::registered(&manager).await;
    assert_eq!(connector.post("/extra", "").await.0, 200);
    while connector.get("/sync/ONE").await.1["running"] == false {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (status, body) = connector.start("R2", "full").await;
    assert_eq!(status, 409, "its slot is taken: {body}");
    let cancel = json!({ "sync_run_id": "ONE" }).to_string();
    assert_eq!(connector.post("/cancel", cancel).await.0, 200);
    assert_eq!(connector.get("/sync/ONE").await.1["running"], false);
    assert!(manager.calls("ONE/complete").is_empty());
    process.end().await;
}

#[tokio::test]
async fn the_token_protects_exactly_the_routes_that_need_it() {
    let manager = Manager::start().await;
    let connector = serve_with(Hooked::default(), &manager, |config| {
        config.token = Some("t0ken".to_owned().into());
    })
    .await;
    let ask = async |method: &str, path: &str, authorization: Option<&str>| {
        let method = method.parse().unwrap();
        let request = connector
            .http
            .request(method, format!("{}{path}", connector.url));
        let request = match authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        };
        request.body("{}").send().await.unwrap()
    };
    for path in [
        "/sync",
        "/cancel",
        "/action",
        "/resource",
        "/prompt",
        "/skill",
        "/oauth/credential-ready",
    ] {
        for wrong in [
            None,
            Some("Bearer"),
            Some("Bearer t0ke"),
            Some("Bearer t0ken2"),
            Some("Basic t0ken"),
            Some("t0ken"),
        ] {
            let answer = ask("POST", path, wrong).await;
            assert_eq!(answer.status(), 401, "{path} {wrong:?}");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
            let body: Value = answer.json().await.unwrap();
            assert!(
                body["error"].is_string() && body["message"].is_string(),
                "{body}"
            );
        }
        for right in ["Bearer t0ken", "bearer t0ken"] {
            assert_ne!(ask("POST", path, Some(right)).await.status(), 401, "{path}");
        }
    }
    // A report names documents and their errors.
    assert_eq!(ask("GET", "/sync/R1/report", None).await.status(), 401);
    for path in ["/health", "/manifest", "/sync/R1"] {
        assert_ne!(ask("GET", path, None).await.status(), 401, "{path}");
    }
}

/// Two webhooks. One has a fixed path segment where the other has a named one.
#[connector(name = "routed", source_types = [Web])]
struct Routed;

#[connector]
impl Routed {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[webhook(path = "/hooks/{name}")]
    async fn named(&self, request: WebhookRequest) -> Result<Webhook> {
        let name = request.parameter("name").unwrap_or_default().to_owned();
        Ok(Webhook::ignore().answer(name))
    }

    #[webhook(path = "/hooks/any")]
    async fn any(&self) -> Result<Webhook> {
        Ok(Webhook::ignore().answer("the fixed one"))
    }
}

#[tokio::test]
async fn a_fixed_segment_of_a_path_goes_before_a_named_one() {
    let manager = Manager::start().await;
    let connector = serve_with(Routed, &manager, quick).await;
    for (path, expected) in [("any", "the fixed one"), ("other", "other")] {
        let url = format!("{}/hooks/{path}", connector.url);
        let answer = connector.http.post(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), expected);
    }
}

/// Names its paths itself, so that no macro looks at them.
#[connector(name = "listed", source_types = [Web])]
struct Listed(Vec<&'static str>);

#[connector]
impl Listed {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[replaces]
    fn webhooks(&self) -> Vec<&'static str> {
        self.0.clone()
    }
}

#[tokio::test]
async fn a_path_at_which_no_server_can_answer_is_refused_with_the_way_out() {
    for paths in [
        ["/hooks/{*rest}", "/hooks/{name}/more"],
        ["/hooks/{name}/more", "/hooks/{*rest}"],
        ["/hooks/{a}/{b}", "/hooks/{c}/{d}"],
        ["/hooks/acme", "/hooks/acme"],
        ["/hooks/acme", "/hooks/{name"],
        ["/hooks/acme", "/hooks/{a}b"],
        ["/hooks/acme", "/hooks/{}"],
        ["/hooks/acme", "/hooks/{*rest}/more"],
        ["/hooks/acme", "/dev/faults"],
        ["/hooks/acme", "/sync/{run}"],
        ["/hooks/acme", "/{*rest}"],
        ["/hooks/acme", "hooks/other"],
        ["/hooks/acme", ""],
    ] {
        let config = ServerConfig::new("http://127.0.0.1:1", "127.0.0.1", 0);
        let listed = Listed(paths.to_vec());
        let error = omni_connector::serve_with_config(listed, config).await;
        let error = error.unwrap_err().to_string();
        let expected = format!("the webhook path `{}` is no path of its own", paths[1]);
        assert!(error.starts_with(&expected), "{paths:?}: {error}");
        assert!(error.ends_with("such as `/hooks/listed`"), "{error}");
    }
}
