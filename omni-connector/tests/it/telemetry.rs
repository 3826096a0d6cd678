//! Output of a process: correct counts, lines with ids, and no secrets.

use std::time::Duration;

use omni_connector::prelude::*;
use serde_json::json;

use crate::support::{Instead, Manager, Process, Scripted, Served, serve};

const SECRETS: [&str; 5] = [
    "cfg-s3cret",
    "key-s3cret",
    "url-s3cret",
    "hdr-s3cret",
    "prm-s3cret",
];

#[derive(Deserialize)]
struct Key {
    api_key: SecretString,
}

/// A connector that includes its secrets in every message.
#[connector(name = "loud", source_types = [Web], version = "1.2.3", credentials = Key)]
struct Loud;

impl Loud {
    fn cry(secret: &str, token: &Value) -> anyhow::Error {
        let url = "https://ann:url-s3cret@api.example.com/v1?token=url-s3cret";
        tracing::warn!("calling {url} with Authorization: Bearer hdr-s3cret");
        tracing::info!(url, "calling");
        anyhow!("{secret} and {token}: X-Api-Key: hdr-s3cret").context(url)
    }
}

#[connector]
impl Loud {
    #[sync]
    async fn sync(&self, source: Source, key: Credentials<Key>, ctx: SyncContext) -> Result<()> {
        let error = Self::cry(key.api_key.expose(), &source.config["token"]);
        ctx.item_failed(
            "d7",
            format!("{error:#}"),
            Some("https://x?token=url-s3cret"),
        );
        ctx.delete("d1").await?;
        match source.config["act"].as_str() {
            Some("panic") => panic!("{error:#}"),
            Some("fail") => Err(error),
            _ => Ok(()),
        }
    }

    /// Fail loudly.
    #[action(write)]
    async fn shout(
        &self,
        source: Source,
        key: Credentials<Key>,
        /// Whatever
        #[arg]
        password: String,
    ) -> Result<()> {
        let error = Self::cry(key.api_key.expose(), &source.config["token"]);
        Err(error.context(password))
    }
}

fn credential() -> Value {
    json!({
        "id": "K1", "source_id": "S1", "user_id": null, "provider": "atlassian", "auth_type": "api_key",
        "principal_email": null, "credentials": { "api_key": "key-s3cret" }, "config": {}, "expires_at": null,
        "last_validated_at": null, "created_at": "2026-08-01T09:00:00Z", "updated_at": "2026-08-01T09:00:00Z"
    })
}

#[tokio::test]
async fn every_outcome_is_counted() {
    let manager = Manager::start().await;
    let connector = Scripted::new(async |ctx, _| {
        let document = Document::new("d1", DocumentPermissions::public()).text("12345");
        ctx.upsert(document).await?;
        ctx.delete("d2").await?;
        ctx.skip("d3", "a draft");
        ctx.item_failed("d4", "gone", None);
        if ctx.sync_run_id() == "R2" {
            bail!("enough");
        }
        if ctx.sync_run_id() == "R3" {
            ctx.cancelled().await;
        }
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    manager.instead(
        "R1/complete",
        Instead::Answer(503, json!({ "error": "busy" })),
    );
    for run in ["R1", "R2"] {
        connector.start(run, "full").await;
        connector.ended(run).await;
    }
    connector.start("R4", "realtime").await;
    connector.start("R3", "incremental").await;
    let call = |action: &str| json!({ "action": action, "params": {} }).to_string();
    for action in ["echo", "fail", "one", "two", "three"] {
        connector.post("/action", call(action)).await;
    }
    let has = |text: &str, line: &str| text.lines().any(|other| other == line);
    let text = connector.text("/metrics").await;
    for line in [
        "omni_connector_info{connector=\"scripted\",version=\"1.0.0\"} 1",
        "omni_connector_runs_total{mode=\"full\",ending=\"completed\"} 1",
        "omni_connector_runs_total{mode=\"full\",ending=\"failed\"} 1",
        "omni_connector_runs_total{mode=\"realtime\",ending=\"refused\"} 1",
        "omni_connector_runs_active{mode=\"incremental\"} 1",
        "omni_connector_runs_active{mode=\"full\"} 0",
        "omni_connector_action_seconds_count{action=\"echo\",status=\"200\"} 1",
        "omni_connector_action_seconds_count{action=\"fail\",status=\"500\"} 1",
        "omni_connector_action_seconds_count{action=\"unknown\",status=\"404\"} 3",
        "omni_connector_manager_calls_total{route=\"sync/{id}/complete\",outcome=\"ok\"} 1",
        "omni_connector_manager_retries_total{route=\"sync/{id}/complete\"} 1",
    ] {
        assert!(has(&text, line), "{line} is not in\n{text}");
    }
    connector
        .post("/cancel", json!({ "sync_run_id": "R3" }).to_string())
        .await;
    let stopped = "omni_connector_runs_total{mode=\"incremental\",ending=\"stopped\"} 1";
    let mut text = String::new();
    for _ in 0..500 {
        text = connector.text("/metrics").await;
        if has(&text, stopped) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for line in [
        stopped,
        "omni_connector_runs_active{mode=\"incremental\"} 0",
        "omni_connector_content_bytes_total 15",
        "omni_connector_documents_total{outcome=\"skipped\"} 3",
        "omni_connector_documents_total{outcome=\"failed\"} 3",
    ] {
        assert!(has(&text, line), "{line} is not in\n{text}");
    }
    assert!(has(&text, "# TYPE omni_connector_runs_total counter"));
}

#[tokio::test]
#[ignore = "a process of the tests below"]
async fn served() {
    omni_connector::serve(Loud).await.unwrap();
}

/// Runs syncs and actions with every outcome in a separate process. Returns its log, and all its other output.
async fn noise(manager: &Manager, variables: &[(&str, &str)]) -> (String, String) {
    manager.give_credentials(&json!({ "api_key": "key-s3cret" }));
    let process = Process::start("telemetry::served", manager, variables);
    let connector = Served::registered(manager).await;
    let mut seen = String::new();
    for (run, act) in [("R1", ""), ("R2", "fail"), ("R3", "panic")] {
        manager.change_source("config", json!({ "token": "cfg-s3cret", "act": act }));
        seen += &connector.start(run, "full").await.1.to_string();
        connector.ended(run).await;
        seen += &connector
            .get(&format!("/sync/{run}/report"))
            .await
            .1
            .to_string();
    }
    let mut source = crate::support::source();
    source["config"] = json!({ "token": "cfg-s3cret" });
    for password in [json!("prm-s3cret"), json!(7)] {
        let body = json!({
            "action": "shout", "params": { "password": password }, "credentials": credential(), "source": source,
            "actor_email": "ann@example.com",
        });
        let request = connector.http.post(format!("{}/action", connector.url));
        let request = request
            .header("x-request-id", "req-42")
            .header("authorization", "Bearer hdr-s3cret");
        seen += &request
            .body(body.to_string())
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
    }
    seen += &connector.text("/metrics").await;
    seen += &json!(
        manager
            .calls("fail")
            .into_iter()
            .map(|call| call.body)
            .collect::<Vec<_>>()
    )
    .to_string();
    (process.end().await, seen)
}

#[tokio::test]
async fn no_secret_is_logged_and_every_line_names_its_run_or_call() {
    let manager = Manager::start().await;
    let variables = [
        ("OMNI_LOG_FORMAT", "json"),
        (
            "RUST_LOG",
            "trace,hyper=info,hyper_util=info,reqwest=info,h2=info",
        ),
        ("OMNI_CONNECTOR_TOKEN", ""),
    ];
    let (log, seen) = noise(&manager, &variables).await;
    assert_eq!(manager.calls("fail").len(), 2);
    for secret in SECRETS {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
        assert!(!seen.contains(secret), "{secret} is in an answer:\n{seen}");
    }
    assert!(seen.contains("[redacted]") && log.contains("[redacted]"));
    let lines: Vec<Value> = log
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let about = |message: &str| {
        let mut lines = lines.iter().filter(|line| {
            line["message"]
                .as_str()
                .is_some_and(|text| text.starts_with(message))
        });
        lines
            .next()
            .unwrap_or_else(|| panic!("no line says {message}:\n{log}"))["span"]
            .clone()
    };
    for message in [
        "the run begins",
        "calling",
        "an item failed",
        "the run completed",
    ] {
        let span = about(message);
        assert_eq!(
            (&span["name"], &span["run"]),
            (&json!("sync_run"), &json!("R1")),
            "{message}"
        );
        assert_eq!(
            (&span["source"], &span["mode"]),
            (&json!("S1"), &json!("full")),
            "{message}"
        );
    }
    let span = about("the action failed");
    assert_eq!(
        (&span["name"], &span["action"]),
        (&json!("action"), &json!("shout"))
    );
    assert_eq!(
        (&span["source"], &span["request_id"]),
        (&json!("S1"), &json!("req-42"))
    );
}

#[cfg(feature = "otel")]
#[tokio::test]
async fn spans_reach_the_collector_with_the_resource_and_without_secrets() {
    use std::sync::{Arc, Mutex};

    use axum::{Router, body::Bytes, http::HeaderMap, routing::post};

    let exports: Arc<Mutex<Vec<(HeaderMap, Bytes)>>> = Arc::default();
    let taken = Arc::clone(&exports);
    let routes = Router::new().route(
        "/v1/traces",
        post(async move |headers: HeaderMap, body: Bytes| {
            taken.lock().unwrap().push((headers, body));
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });

    let manager = Manager::start().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_DEPLOYMENT_ID", "deployment-7"),
        ("SERVICE_VERSION", "9.8.7"),
    ];
    let (log, _) = noise(&manager, &variables).await;
    let exports = exports.lock().unwrap();
    assert!(!exports.is_empty(), "nothing was exported:\n{log}");
    assert_eq!(exports[0].0["content-type"], "application/x-protobuf");
    let all: Vec<u8> = exports.iter().flat_map(|(_, body)| body.to_vec()).collect();
    let has = |text: &str| all.windows(text.len()).any(|part| part == text.as_bytes());
    for text in [
        "sync_run",
        "R1",
        "R2",
        "R3",
        "completed",
        "failed",
        "action",
        "shout",
        "req-42",
        "service.name",
        "loud",
        "service.version",
        "9.8.7",
        "deployment.environment",
        "development",
        "deployment.id",
        "deployment-7",
    ] {
        assert!(has(text), "{text} was not exported");
    }
    for secret in SECRETS {
        assert!(!has(secret), "{secret} was exported");
    }
}
