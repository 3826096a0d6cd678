//! Processes that end with the test, and a minimal manager.

use std::{
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

pub(crate) const SERVER: &str = env!("CARGO_BIN_EXE_mcp-test-server");
/// A misbehaving server.
pub(crate) const ODD: &str = env!("CARGO_BIN_EXE_mcp-test-odd");
pub(crate) const CONNECTOR: &str = env!("CARGO_BIN_EXE_mcp-test-connector");
/// A server that speaks one version of the protocol.
pub(crate) const VERSIONS: &str = env!("CARGO_BIN_EXE_mcp-test-versions");

/// Limit for every wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// A manager that accepts registrations and serves one source and its credential.
#[derive(Clone, Default)]
pub(crate) struct Manager {
    manifests: Arc<Mutex<Vec<Value>>>,
}

impl Manager {
    async fn start(&self) -> String {
        let app = Router::new()
            .route("/sdk/register", post(register))
            .route("/sdk/source/{id}", get(source))
            .route("/sdk/credentials/{id}", get(credentials))
            .fallback(async || Json(json!({ "status": "ok" })))
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}")
    }

    pub(crate) fn registered(&self) -> Vec<Value> {
        self.manifests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn register(State(manager): State<Manager>, body: Bytes) -> Json<Value> {
    let manifest = serde_json::from_slice(&body).unwrap();
    manager.manifests.lock().unwrap().push(manifest);
    Json(json!({ "status": "ok" }))
}

async fn source(Path(id): Path<String>) -> Json<Value> {
    Json(source_of(&id, json!({})))
}

async fn credentials(Path(id): Path<String>) -> Json<Value> {
    Json(credential_of(&id, "sync-secret"))
}

pub(crate) fn source_of(id: &str, config: Value) -> Value {
    json!({
        "id": id, "name": "test", "source_type": "github", "config": config, "is_active": true, "is_deleted": false,
        "scope": "org", "user_filter_mode": "all", "user_whitelist": null, "user_blacklist": null,
        "connector_state": null, "checkpoint": null, "sync_interval_seconds": null, "created_by": "u",
        "created_at": "+002026-08-01T00:00:00.000000000Z", "updated_at": "+002026-08-01T00:00:00.000000000Z",
    })
}

pub(crate) fn credential_of(source: &str, token: &str) -> Value {
    json!({
        "id": "c", "source_id": source, "user_id": null, "provider": "github", "auth_type": "bearer_token",
        "principal_email": null, "credentials": { "token": token }, "config": {}, "expires_at": null,
        "last_validated_at": null, "created_at": "+002026-08-01T00:00:00.000000000Z",
        "updated_at": "+002026-08-01T00:00:00.000000000Z",
    })
}

/// The test server over HTTP.
pub(crate) struct HttpServer {
    pub(crate) url: String,
    process: Child,
}

impl HttpServer {
    /// Kills it and waits, so that its port is free.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }
}

pub(crate) async fn http_server() -> HttpServer {
    http_server_at("127.0.0.1:0").await
}

pub(crate) async fn http_server_at(address: &str) -> HttpServer {
    listening(SERVER, &["--http", address]).await
}

/// Starts a program that prints its address and serves MCP there.
pub(crate) async fn listening(program: &str, arguments: &[&str]) -> HttpServer {
    let mut process = Command::new(program)
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let address = lines.next_line().await.unwrap().unwrap();
    HttpServer {
        url: format!("http://{address}/mcp"),
        process,
    }
}

/// A running test connector.
pub(crate) struct Connector {
    pub(crate) manager: Manager,
    process: Child,
    url: String,
    http: omni_connector::HttpClient,
    _cache: Option<tempfile::TempDir>,
}

impl Connector {
    /// Starts a connector with the test server as its child.
    pub(crate) async fn over_stdio() -> Self {
        Self::start(&json!([SERVER]).to_string(), &[], None).await
    }

    pub(crate) async fn start(
        server: &str,
        env: &[(&str, &str)],
        cache: Option<&std::path::Path>,
    ) -> Self {
        let manager = Manager::default();
        let own_cache = cache.is_none().then(|| tempfile::tempdir().unwrap());
        let folder = cache.unwrap_or_else(|| own_cache.as_ref().unwrap().path());
        let process = Command::new(CONNECTOR)
            .env("MCP_SERVER", server)
            .env("CONNECTOR_MANAGER_URL", manager.start().await)
            .env("CONNECTOR_HOST_NAME", "127.0.0.1")
            .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
            .env("PORT", "0")
            .env("RUST_LOG", "debug")
            .env("CATALOG_CACHE_DIR", folder)
            .envs(env.iter().copied())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut connector = Self {
            manager,
            process,
            url: String::new(),
            http: omni_connector::HttpClient::new(),
            _cache: own_cache,
        };
        let manifest = connector.registration(|_| true).await;
        manifest["connector_url"]
            .as_str()
            .unwrap()
            .clone_into(&mut connector.url);
        connector
    }

    /// Waits for a registration that satisfies `is_it`.
    pub(crate) async fn registration(&self, is_it: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                if let Some(manifest) = self.manager.registered().into_iter().rev().find(&is_it) {
                    return manifest;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, found)
            .await
            .expect("such a manifest is registered in time")
    }

    pub(crate) async fn manifest(&self) -> Value {
        let answer = self.http.get(format!("{}/manifest", self.url)).send().await;
        answer.unwrap().json().await.unwrap()
    }

    pub(crate) async fn raw(&self, path: &str, body: Value) -> reqwest::Response {
        let request = self.http.post(format!("{}{path}", self.url)).json(&body);
        request.send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let answer = self.raw(path, body).await;
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(text.into()))
    }

    /// Makes the connector read the server's lists, as after a sign-in.
    pub(crate) async fn discover(&self) -> (u16, Value) {
        let ready = json!({
            "source_id": "s", "user_id": null, "provider": "github", "flow": "user_read",
            "credentials": mcp_credentials("secret"),
        });
        self.post("/oauth/credential-ready", ready).await
    }

    /// Calls an action and returns the status and the answer.
    pub(crate) async fn call(&self, action: &str, params: Value) -> (u16, Value) {
        self.call_as(action, params, "secret").await
    }

    pub(crate) async fn call_as(&self, action: &str, params: Value, token: &str) -> (u16, Value) {
        let (status, answer) = self
            .post("/action", action_request(action, params, token))
            .await;
        match answer["status"].as_str() {
            Some("success") => (status, answer["result"].clone()),
            Some("error") => (status, answer["error"].clone()),
            _ => (status, answer),
        }
    }

    /// Starts a call and waits until the server works on it, without waiting for the answer.
    pub(crate) async fn begin(&self, action: &str, params: Value) {
        let request = self
            .http
            .post(format!("{}/action", self.url))
            .json(&action_request(action, params, "secret"));
        tokio::spawn(request.send());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }

    pub(crate) async fn text(&self, action: &str) -> String {
        let (status, result) = self.call(action, json!({})).await;
        assert_eq!(status, 200, "{action}: {result}");
        result["content"].as_str().unwrap().to_owned()
    }

    /// Returns the live child processes.
    pub(crate) fn children(&self) -> Vec<u32> {
        children_of(self.process.id().unwrap())
    }

    /// Terminates it like a deployment, and waits.
    pub(crate) async fn terminate(&mut self) {
        signal("TERM", self.process.id().unwrap());
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        ended.expect("it ends in time").unwrap();
    }

    /// Kills it with SIGKILL and returns its log.
    pub(crate) async fn kill(mut self) -> String {
        self.process.start_kill().unwrap();
        let output = tokio::time::timeout(PATIENCE, self.process.wait_with_output()).await;
        String::from_utf8(output.unwrap().unwrap().stderr).unwrap()
    }
}

pub(crate) fn action_request(action: &str, params: Value, token: &str) -> Value {
    json!({
        "action": action, "params": params, "credentials": credential_of("s", token),
        "source": source_of("s", json!({ "host": "example.com" })), "actor_email": "ann@example.com",
    })
}

pub(crate) fn mcp_credentials(token: &str) -> Value {
    json!({ "credentials": { "token": token }, "config": {}, "auth_type": "bearer_token" })
}

pub(crate) fn signal(name: &str, process: u32) {
    let kill = std::process::Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// Returns the child processes of `parent`, without zombies.
pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name may contain spaces; it ends at the last parenthesis.
        let mut fields = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let state = fields.next();
        state != Some("Z") && fields.next() == Some(parent.to_string().as_str())
    })
    .collect()
}

/// Returns whether a process is alive.
pub(crate) fn is_alive(process: u32) -> bool {
    std::path::Path::new(&format!("/proc/{process}")).exists()
}

/// Waits until `holds` returns true.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{what}");
}
