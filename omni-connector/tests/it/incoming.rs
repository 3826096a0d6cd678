//! Valid and invalid requests: each gets the right status within a second and no secret, and the process survives.

use std::time::{Duration, Instant};

use crate::support::{Instead, Manager, Scripted, Served, serve, serve_with};
use omni_connector::{
    Connector, ManagerClient, ServerConfig, ServiceCredential, Skill, Source, SourceType,
    SyncContext, SyncType, async_trait,
};
use serde_json::{Value, json};

/// A connector whose hooks do what the source's config says.
struct Careful;

impl Careful {
    fn act(source: &Source) -> anyhow::Result<()> {
        match source.config["act"].as_str() {
            Some("panic") => panic!("no vault for {}", source.config["token"]),
            Some("fail") => anyhow::bail!(
                "https://api/v1?key=q-s3cret said: {}",
                source.config["token"]
            ),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Connector for Careful {
    type Config = Value;
    type Credentials = Value;
    type State = Value;

    fn name(&self) -> &'static str {
        "careful"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    async fn validate(
        &self,
        _: SyncType,
        source: &Source,
        credentials: Option<&ServiceCredential>,
        _: &ManagerClient,
    ) -> anyhow::Result<()> {
        if source.config["act"] == "sleep" {
            tokio::time::sleep(Duration::from_secs(30)).await;
        }
        if source.config["act"] == "block" {
            std::thread::sleep(Duration::from_secs(4));
        }
        if source.config["where"] == "validate" {
            Self::act(source)?;
            let secret = credentials.map(|credential| credential.credentials["api_key"].clone());
            anyhow::ensure!(secret.is_none(), "the tracker refuses {secret:?}");
        }
        Ok(())
    }

    async fn sync(
        &self,
        source: Source,
        _: Option<ServiceCredential>,
        _: Option<Value>,
        ctx: SyncContext,
    ) -> anyhow::Result<()> {
        ctx.item_failed("i", format!("{} is wrong", source.config["token"]), None);
        let at = ctx.last_sync_at().map(time::OffsetDateTime::unix_timestamp);
        ctx.skip_with("s", "shown", format!("{:?} {at:?}", source.config["token"]));
        Self::act(&source)
    }

    fn skills(&self) -> Vec<Skill> {
        assert!(std::env::var_os("OMNI_NO_SUCH_VARIABLE").is_none());
        Vec::new()
    }
}

const ROUTES: [&str; 6] = [
    "/sync",
    "/cancel",
    "/action",
    "/resource",
    "/prompt",
    "/skill",
];

async fn answers(connector: &Served, path: &str, body: impl Into<reqwest::Body>, expected: &[u16]) {
    let started = Instant::now();
    let (status, answer) = connector.post(path, body).await;
    assert!(expected.contains(&status), "{path}: {status} {answer}");
    assert!(
        answer["error"].is_string()
            || answer["message"].is_string()
            || answer["status"].is_string(),
        "{path}: {answer}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{path}: {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn every_route_refuses_an_invalid_request() {
    let manager = Manager::start().await;
    let connector = serve(Scripted::new(async |_, _| Ok(())), &manager).await;
    let deep_list = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_object = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    for path in ROUTES {
        for body in [
            deep_list.as_str(),
            &deep_object,
            "null",
            "7",
            "\"x\"",
            "{}{}",
            "[]",
        ] {
            // A route that needs an MCP server accepts any JSON, and answers that there is none.
            let expected: &[u16] = match path {
                "/resource" | "/prompt" => &[400, 404],
                _ => &[400],
            };
            answers(&connector, path, body.to_owned(), expected).await;
        }
        answers(
            &connector,
            path,
            b"{\"action\":\"\xff\xfe\",\"skill_id\":\"\xff\"}".to_vec(),
            &[400],
        )
        .await;
    }
}

#[tokio::test]
async fn fields_are_read_exactly() {
    let manager = Manager::start().await;
    let connector = serve(Scripted::new(async |_, _| Ok(())), &manager).await;
    for (path, body) in [
        (
            "/sync",
            r#"{"sync_run_id":"R","source_id":"S1","sync_mode":"hourly"}"#,
        ),
        (
            "/sync",
            r#"{"sync_run_id":"R","source_id":"S1","sync_mode":null}"#,
        ),
        (
            "/sync",
            r#"{"sync_run_id":null,"source_id":"S1","sync_mode":"full"}"#,
        ),
        (
            "/sync",
            r#"{"sync_run_id":"R","sync_run_id":"R","source_id":"S1","sync_mode":"full"}"#,
        ),
        (
            "/sync",
            r#"{"sync_run_id":"R","source_id":"S1","sync_mode":"full","is_resume":null}"#,
        ),
        (
            "/sync",
            r#"{"sync_run_id":"R","source_id":"S1","sync_mode":"full","last_sync_at":"yesterday"}"#,
        ),
        (
            "/sync",
            r#"{"sync_run_id":"","source_id":"S1","sync_mode":"full"}"#,
        ),
        (
            "/sync",
            r#"{"sync_run_id":"R","source_id":"S\u0000","sync_mode":"full"}"#,
        ),
        (
            "/sync",
            r#"{"sync_run_id":"R\n","source_id":"S1","sync_mode":"full"}"#,
        ),
        ("/cancel", r#"{"sync_run_id":["R"]}"#),
        ("/action", r#"{"action":null}"#),
        (
            "/action",
            r#"{"action":"echo","credentials":{"auth_type":"magic"}}"#,
        ),
        (
            "/action",
            r#"{"action":"echo","source":{"source_type":"teleprinter"}}"#,
        ),
        ("/action", r#"{"action":"echo","action":"echo"}"#),
        ("/skill", r#"{"skill_id":{}}"#),
    ] {
        answers(&connector, path, body, &[400]).await;
    }
    let long =
        json!({ "sync_run_id": "R".repeat(1 << 20), "source_id": "S1", "sync_mode": "full" });
    answers(&connector, "/sync", long.to_string(), &[400]).await;
    assert_eq!(connector.get("/sync/R").await.1["running"], false);
}

#[tokio::test]
async fn malicious_ids_count_as_unknown_ids() {
    let manager = Manager::start().await;
    let connector = serve(Scripted::new(async |_, _| Ok(())), &manager).await;
    for id in [
        ".",
        "..",
        "../S1",
        "S1/..",
        "..%2fS1",
        "S1?x=1",
        "S1#x",
        "/",
        "\\..\\S1",
        "%00",
        " ",
        "é",
        "${jndi:x}",
    ] {
        let run = json!({ "sync_run_id": "R", "source_id": id, "sync_mode": "full" });
        answers(&connector, "/sync", run.to_string(), &[404]).await;
        answers(
            &connector,
            "/cancel",
            json!({ "sync_run_id": id }).to_string(),
            &[404],
        )
        .await;
        answers(
            &connector,
            "/skill",
            json!({ "skill_id": id }).to_string(),
            &[404],
        )
        .await;
        answers(
            &connector,
            "/action",
            json!({ "action": id, "params": {} }).to_string(),
            &[404],
        )
        .await;
    }
    for id in ["..%2f..", "%00", "%ff", "a%20b"] {
        assert_eq!(
            connector.get(&format!("/sync/{id}")).await,
            (200, json!({ "running": false })),
            "{id}"
        );
        assert_eq!(
            connector.get(&format!("/sync/{id}/report")).await.0,
            404,
            "{id}"
        );
    }
    let asked: Vec<_> = manager.routes();
    assert!(
        asked.is_empty(),
        "an id left its place in the path: {asked:?}"
    );
}

#[tokio::test]
async fn large_bodies_are_accepted_up_to_the_limit_and_refused_beyond_it() {
    let manager = Manager::start().await;
    let connector = serve_with(Scripted::new(async |_, _| Ok(())), &manager, |config| {
        config.max_body_bytes = 8 << 20;
    })
    .await;
    let padded = |size: usize| {
        format!(
            r#"{{"action":"none","params":{{"text":"{}"}}}}"#,
            "x".repeat(size)
        )
    };
    assert_eq!(connector.post("/action", padded(7 << 20)).await.0, 404);
    for path in ROUTES {
        let (status, body) = connector.post(path, padded(8 << 20)).await;
        assert_eq!(status, 413, "{path}: {body}");
        assert!(body["error"].is_string(), "{path}: {body}");
        // A small request that takes a gigabyte once decoded.
        let dense = format!("[{}0]", "[],".repeat(2 << 20));
        assert_eq!(connector.post(path, dense).await.0, 413, "{path}");
    }
    assert_eq!(connector.get("/health").await.0, 200);
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused() {
    let manager = Manager::start().await;
    let connector = serve(Scripted::new(async |_, _| Ok(())), &manager).await;
    for (method, path, status) in [
        ("OPTIONS", "/action", 403),
        ("OPTIONS", "/sync", 403),
        ("GET", "/health", 200),
    ] {
        let method = method.parse().unwrap();
        let request = connector
            .http
            .request(method, format!("{}{path}", connector.url));
        let answer = request
            .header("origin", "https://evil.example.com")
            .header("access-control-request-method", "POST")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let mut names = answer.headers().keys().map(|name| name.as_str().to_owned());
        assert!(
            !names.any(|name| name.starts_with("access-control")),
            "{path}"
        );
    }
}

/// Browsers send a form with a plain text without asking first.
#[tokio::test]
async fn no_page_of_a_browser_makes_the_connector_do_anything() {
    let manager = Manager::start().await;
    let connector = serve(Scripted::new(async |_, _| Ok(())), &manager).await;
    let request = json!({ "sync_run_id": "R1", "source_id": "S1", "sync_mode": "full" });
    let mut paths = ROUTES.to_vec();
    paths.extend([
        "/oauth/credential-ready",
        "/dev/faults",
        "/dev/repeat",
        "/dev/dry-run",
    ]);
    for path in paths {
        for (header, value) in [
            ("origin", "https://evil.example.com"),
            ("origin", "http://127.0.0.1:5173"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let form = connector.http.post(format!("{}{path}", connector.url));
            let form = form
                .header("content-type", "text/plain")
                .header(header, value);
            let answer = form.body(request.to_string()).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path} {header}: {value}");
        }
    }
    assert_eq!(
        connector.get("/sync/R1/report").await.0,
        404,
        "no run began"
    );
    assert_eq!(connector.post("/sync", request.to_string()).await.0, 200);
}

#[tokio::test]
async fn a_slow_manager_gets_an_answer_before_it_gives_up() {
    let manager = Manager::start().await;
    let connector = serve_with(Careful, &manager, |config| {
        config.patience.prepare = Duration::from_secs(1);
    })
    .await;
    for _ in 0..5 {
        let wait = Instead::Wait(Duration::from_secs(5));
        manager.instead("/sdk/source/S1", wait);
    }
    let started = Instant::now();
    let (status, body) = connector.start("R1", "full").await;
    assert_eq!(status, 503, "{body}");
    assert!(
        body["message"].as_str().unwrap().contains("within 1 s"),
        "{body}"
    );
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_validation_is_not_blamed_on_the_manager() {
    let manager = Manager::start().await;
    let connector = serve_with(Careful, &manager, |config| {
        config.patience.prepare = Duration::from_secs(1);
    })
    .await;
    // The second one blocks its thread.
    for (run, act) in [("R1", "sleep"), ("R2", "block")] {
        manager.change_source("config", json!({ "act": act }));
        let started = Instant::now();
        let (status, body) = connector.start(run, "full").await;
        assert_eq!(status, 503, "{body}");
        assert_eq!(
            body["message"],
            "the run could not be prepared within 1 s; `validate` of the connector takes too long"
        );
        assert!(started.elapsed() < Duration::from_secs(3), "{act}");
    }
}

#[tokio::test]
async fn a_lasting_failure_of_the_manager_is_named() {
    let manager = Manager::start().await;
    let connector = serve_with(Careful, &manager, |config| {
        config.patience.prepare = Duration::from_secs(2);
    })
    .await;
    for _ in 0..20 {
        let refusal = json!({ "error": "credential requires OAuth reconnect" });
        manager.instead("/sdk/source/S1", Instead::Answer(500, refusal));
    }
    let (status, body) = connector.start("R2", "full").await;
    assert_eq!(status, 502, "{body}");
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("requires OAuth reconnect"),
        "{body}"
    );
}

#[tokio::test]
async fn a_run_that_is_being_prepared_is_reported_and_can_be_cancelled() {
    let manager = Manager::start().await;
    let connector = std::sync::Arc::new(serve(Careful, &manager).await);
    manager.instead("/sdk/source/S1", Instead::Wait(Duration::from_secs(10)));
    let starting = {
        let connector = std::sync::Arc::clone(&connector);
        tokio::spawn(async move { connector.start("R1", "full").await })
    };
    while connector.get("/sync/R1").await.1["running"] == false {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let cancel = json!({ "sync_run_id": "R1" }).to_string();
    assert_eq!(
        connector.post("/cancel", cancel).await,
        (200, json!({ "status": "cancelled" }))
    );
    let (status, body) = starting.await.unwrap();
    assert_eq!(
        (status, &body["message"]),
        (409, &json!("the run was cancelled before it started"))
    );
    assert_eq!(connector.get("/sync/R1").await.1["running"], false);
    assert!(manager.calls("complete").is_empty());
}

#[tokio::test]
async fn no_secret_appears_in_the_messages_about_a_run() {
    let manager = Manager::start().await;
    let connector = serve(Careful, &manager).await;
    let config = |at: &str, act: &str| json!({ "where": at, "act": act, "token": "c-s3cret" });
    let mut read = Vec::new();
    for (n, (at, act, status)) in [
        ("validate", "fail", 400),
        ("validate", "panic", 500),
        ("sync", "fail", 200),
        ("sync", "panic", 200),
    ]
    .into_iter()
    .enumerate()
    {
        manager.change_source("config", config(at, act));
        let run = format!("R{n}");
        let (found, body) = connector.start(&run, "full").await;
        assert_eq!(found, status, "{at} {act}: {body}");
        read.push(body);
        connector.ended(&run).await;
        read.push(connector.get(&format!("/sync/{run}/report")).await.1);
    }
    manager.change_source("config", config("validate", ""));
    manager.give_credentials(&json!({ "api_key": "k-s3cret" }));
    let (status, body) = connector.start("R9", "full").await;
    assert_eq!(status, 400);
    assert_eq!(
        body["message"],
        "the tracker refuses Some(String(\"[redacted]\"))"
    );
    read.extend(manager.calls("fail").into_iter().map(|call| call.body));
    assert_eq!(manager.calls("fail").len(), 2);
    let read = json!(read).to_string();
    assert!(
        read.contains("[redacted]") && !read.contains("s3cret"),
        "{read}"
    );
}

#[tokio::test]
async fn no_spelling_of_a_secret_stands_in_what_people_read_about_a_run() {
    use base64::{Engine, engine::general_purpose};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    const SECRET: &str = "CANARY/w\"ord+1 é0123";
    let manager = Manager::start().await;
    manager.give_credentials(&json!({ "api_key": SECRET }));
    let connector = serve(
        Scripted::new(async |ctx, _| {
            let encoded = utf8_percent_encode(SECRET, NON_ALPHANUMERIC).to_string();
            let spelled = [
                SECRET.to_owned(),
                encoded.clone(),
                encoded.replace("%20", "+"),
                json!(SECRET).to_string(),
                format!("{SECRET:?}"),
                json!(json!(SECRET).to_string()).to_string(),
                general_purpose::STANDARD.encode(SECRET),
                general_purpose::URL_SAFE_NO_PAD.encode(format!("u:{SECRET}")),
            ];
            for said in &spelled {
                let link = format!("https://acme/x?q={said}");
                ctx.working_on(&format!("the item {said}"));
                ctx.item_failed(
                    format!("the item {said}"),
                    format!("no: {said}"),
                    Some(&link),
                );
                ctx.skip(format!("the item {said}"), format!("it is {said}"));
            }
            anyhow::bail!("the last was {}", spelled.join(" and "))
        }),
        &manager,
    )
    .await;
    assert_eq!(connector.start("R1", "full").await.0, 200);
    connector.ended("R1").await;
    let report = connector.get("/sync/R1/report").await.1;
    let failed: Vec<_> = manager
        .calls("fail")
        .into_iter()
        .map(|call| call.body)
        .collect();
    assert_eq!(
        (report["failed"].as_u64(), failed.len()),
        (Some(8), 1),
        "{report}"
    );
    let read = json!([report, failed]).to_string();
    for piece in [
        "CANARY", "Q0FOQVJZ", "NBTkFSW", "DQU5BUl", "ord%2B1", "ord+1",
    ] {
        assert!(!read.contains(piece), "{piece} in {read}");
    }
}

#[tokio::test]
async fn a_panic_of_a_hook_is_answered_with_an_error() {
    let manager = Manager::start().await;
    let connector = serve(Careful, &manager).await;
    manager.change_source("config", json!({ "where": "validate", "act": "panic" }));
    let (status, body) = connector.start("R1", "full").await;
    assert_eq!(status, 500, "{body}");
    let message = body["message"].as_str().unwrap();
    assert!(
        message.starts_with("the connector panicked at ") && message.contains("no vault"),
        "{message}"
    );
}

#[tokio::test]
async fn both_forms_of_a_timestamp_reach_the_author() {
    let manager = Manager::start().await;
    let connector = serve(Careful, &manager).await;
    for (run, at) in [
        ("R1", "2026-08-21T10:00:00.123456Z"),
        ("R2", "+002026-08-21T10:00:00.123456000Z"),
    ] {
        let body = json!({ "sync_run_id": run, "source_id": "S1", "sync_mode": "full", "last_sync_at": at });
        assert_eq!(
            connector.post("/sync", body.to_string()).await.0,
            200,
            "{at}"
        );
        connector.ended(run).await;
        let report = connector.get(&format!("/sync/{run}/report")).await.1;
        let detail = report["skips"][0]["detail"].as_str().unwrap();
        assert!(detail.ends_with("Some(1787306400)"), "{detail}");
    }
}

#[test]
fn settings_and_handles_show_no_secret() {
    let config = ServerConfig::new("http://ann:s3cret@manager:3004", "acme", 4001);
    let manager = ManagerClient::new(&config.manager_url);
    let mut source = crate::support::source();
    source["config"] = json!({ "token": "s3cret" });
    source["connector_state"] = json!({ "webhook_secret": "s3cret" });
    let source: Source = serde_json::from_value(source).unwrap();
    let call = omni_connector::ActionCall {
        action: "a".to_owned(),
        params: json!({ "password": "s3cret" }),
        credentials: None,
        source: Some(source.clone()),
        actor_email: None,
        manager: manager.clone(),
    };
    let shown = format!("{config:?} {manager:?} {source:?} {call:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}
