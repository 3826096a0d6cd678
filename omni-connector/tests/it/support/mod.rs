//! A served connector whose `sync` is a closure, and a manager that records its calls. Unlike the development manager,
//! it can be made to misbehave.

use std::{
    collections::{BTreeMap, VecDeque},
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::get,
};
use omni_connector::{
    BoxFuture, Connector, ServerConfig, ServiceCredential, Source, SourceType, SyncContext,
    SyncType, async_trait,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) type Sync = Arc<
    dyn Fn(SyncContext, Option<Value>) -> BoxFuture<'static, anyhow::Result<()>>
        + Send
        + std::marker::Sync,
>;

/// A connector with the behaviour that a test needs.
pub(crate) struct Scripted {
    pub(crate) sync: Sync,
    pub(crate) modes: Vec<SyncType>,
    pub(crate) needs_credentials: bool,
}

impl Scripted {
    pub(crate) fn new<F>(
        sync: impl Fn(SyncContext, Option<Value>) -> F + Send + std::marker::Sync + 'static,
    ) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        Self {
            sync: Arc::new(move |ctx, checkpoint| Box::pin(sync(ctx, checkpoint))),
            modes: vec![SyncType::Full, SyncType::Incremental],
            needs_credentials: false,
        }
    }
}

#[async_trait]
impl Connector for Scripted {
    type Config = Config;
    type Credentials = Value;
    type State = Value;

    fn name(&self) -> &'static str {
        "scripted"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        self.modes.clone()
    }

    fn requires_credentials(&self) -> bool {
        self.needs_credentials
    }

    async fn sync(
        &self,
        _: Source,
        _: Option<ServiceCredential>,
        checkpoint: Option<Value>,
        ctx: SyncContext,
    ) -> anyhow::Result<()> {
        (self.sync)(ctx, checkpoint).await
    }

    async fn execute_action(
        &self,
        action: &str,
        params: Value,
        _: Option<ServiceCredential>,
    ) -> anyhow::Result<Response> {
        match action {
            "echo" => Ok(omni_connector::ActionResponse::success(params).into_response()),
            "panic" => panic!("the action fell over"),
            "fail" => anyhow::bail!("the tracker is down"),
            other => Ok(omni_connector::ActionResponse::not_supported(other)
                .into_response_with_status(StatusCode::NOT_FOUND)),
        }
    }
}

#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "only decoded")]
pub(crate) struct Config {
    root_url: String,
}

/// A call that the manager received.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) route: String,
    pub(crate) body: Value,
}

#[derive(Default)]
struct Told {
    calls: Vec<Call>,
    /// Ids of the next runs.
    run_ids: VecDeque<&'static str>,
    /// Answers in place of the usual ones, by a part of the route. Each is used once.
    instead: VecDeque<(&'static str, Instead)>,
    /// Ids of documents that make a batch malformed.
    poison: Vec<&'static str>,
    source: Value,
    credentials: Option<Value>,
    delay: Duration,
    /// The current and the highest number of parallel calls, by route.
    at_once: BTreeMap<String, (usize, usize)>,
}

/// A reaction in place of the usual answer.
pub(crate) enum Instead {
    /// This status and body, without an effect.
    Answer(u16, Value),
    /// The call takes effect, and its answer is lost.
    LoseAnswer,
    /// A page of HTML with status 200, without an effect.
    Html,
    /// The usual answer, delayed by this time.
    Wait(Duration),
}

#[derive(Clone)]
pub(crate) struct Manager {
    told: Arc<Mutex<Told>>,
    pub(crate) url: String,
}

impl Manager {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let told = Told {
            source: source(),
            ..Told::default()
        };
        let manager = Self {
            told: Arc::new(Mutex::new(told)),
            url,
        };
        let router = Router::new()
            .route("/sdk/source/{id}", get(give_source))
            .route("/sdk/credentials/{id}", get(give_credentials))
            .fallback(take)
            .with_state(manager.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        manager
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the reaction to the next call whose route contains `route`.
    pub(crate) fn instead(&self, route: &'static str, instead: Instead) {
        self.told().instead.push_back((route, instead));
    }

    /// Sets the ids of the next runs.
    pub(crate) fn run_ids(&self, ids: impl IntoIterator<Item = &'static str>) {
        self.told().run_ids.extend(ids);
    }

    /// Waits for this many calls whose route contains `part`.
    pub(crate) async fn told_times(&self, part: &str, times: usize) {
        for _ in 0..1_000 {
            if self.calls(part).len() >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{part} came {} times", self.calls(part).len());
    }

    fn take_instead(&self, route: &str) -> Option<Instead> {
        let mut told = self.told();
        let is_meant = |(part, _): &(&str, Instead)| route.contains(part);
        let index = told.instead.iter().position(is_meant)?;
        told.instead.remove(index).map(|(_, instead)| instead)
    }

    pub(crate) fn poison(&self, document: &'static str) {
        self.told().poison.push(document);
    }

    pub(crate) fn delay(&self, delay: Duration) {
        self.told().delay = delay;
    }

    pub(crate) fn change_source(&self, key: &str, value: Value) {
        self.told().source[key] = value;
    }

    pub(crate) fn give_credentials(&self, secret: &Value) {
        self.give_row("api_key", secret, &json!({}));
    }

    pub(crate) fn give_row(&self, auth_type: &str, secret: &Value, config: &Value) {
        self.told().credentials = Some(json!({
            "id": "K1", "source_id": "S1", "user_id": null, "provider": "atlassian", "auth_type": auth_type,
            "principal_email": null, "credentials": secret, "config": config, "expires_at": null,
            "last_validated_at": null, "created_at": "+002026-08-01T09:00:00.000000000Z",
            "updated_at": "+002026-08-01T09:00:00.000000000Z"
        }));
    }

    /// Returns every call so far whose route contains `part`.
    pub(crate) fn calls(&self, part: &str) -> Vec<Call> {
        self.told()
            .calls
            .iter()
            .filter(|call| call.route.contains(part))
            .cloned()
            .collect()
    }

    /// Returns the highest number of parallel calls of a route.
    pub(crate) fn most_at_once(&self, part: &str) -> usize {
        let told = self.told();
        let routes = told
            .at_once
            .iter()
            .filter(|(route, _)| route.contains(part));
        routes.map(|(_, (_, most))| *most).max().unwrap_or_default()
    }

    /// Returns the calls of a run in short form, without registrations.
    pub(crate) fn routes(&self) -> Vec<String> {
        let calls = self.told().calls.clone();
        calls
            .into_iter()
            .map(|call| call.route)
            .filter(|route| !route.contains("register"))
            .collect()
    }

    /// Returns the changes of documents, in the order of the manager's acceptance.
    pub(crate) fn documents(&self) -> Vec<String> {
        let batches = self.calls("events");
        batches
            .iter()
            .flat_map(|call| call.body["events"].as_array().unwrap().clone())
            .map(|event| subject(&event))
            .collect()
    }

    /// Waits for a call whose route contains `part`. Returns its body.
    pub(crate) async fn told_of(&self, part: &str) -> Value {
        for _ in 0..1_000 {
            if let Some(call) = self.calls(part).first() {
                return call.body.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "the manager was never told of {part}; it was told {:?}",
            self.routes()
        );
    }
}

fn subject(event: &Value) -> String {
    event["document_id"]
        .as_str()
        .or_else(|| event["group_email"].as_str())
        .unwrap_or("?")
        .to_owned()
}

pub(crate) fn source() -> Value {
    json!({
        "id": "S1", "name": "Team wiki", "source_type": "web", "integration_type": "connector",
        "config": { "root_url": "https://wiki.example.com" }, "is_active": true, "is_deleted": false, "scope": "org",
        "user_filter_mode": "all", "user_whitelist": null, "user_blacklist": null, "connector_state": null,
        "checkpoint": null, "sync_interval_seconds": 3600, "created_at": "+002026-08-01T09:00:00.000000000Z",
        "updated_at": "+002026-08-22T04:08:28.123456000Z", "created_by": "U1"
    })
}

async fn give_source(State(manager): State<Manager>, Path(id): Path<String>) -> Response {
    let route = format!("GET /sdk/source/{id}");
    let instead = manager.take_instead(&route);
    match instead {
        Some(Instead::Answer(status, body)) => {
            return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
        }
        Some(Instead::Wait(wait)) => tokio::time::sleep(wait).await,
        _ => {}
    }
    let source = manager.told().source.clone();
    if source["id"] == *id {
        Json(source).into_response()
    } else {
        not_found(&format!("Source not found: {id}"))
    }
}

async fn give_credentials(State(manager): State<Manager>) -> Response {
    match manager.told().credentials.clone() {
        Some(credentials) => Json(credentials).into_response(),
        None => not_found("Credentials not found"),
    }
}

fn not_found(error: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
}

async fn take(State(manager): State<Manager>, method: Method, uri: Uri, body: Bytes) -> Response {
    let route = format!("{method} {}", uri.path());
    let delay = {
        let mut told = manager.told();
        let (now, most) = told.at_once.entry(route.clone()).or_default();
        *now += 1;
        *most = (*most).max(*now);
        told.delay
    };
    tokio::time::sleep(delay).await;
    let answer = answer(&manager, route.clone(), body).await;
    if let Some((now, _)) = manager.told().at_once.get_mut(&route) {
        *now -= 1;
    }
    answer
}

async fn answer(manager: &Manager, route: String, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let instead = manager.take_instead(&route);
    match instead {
        Some(Instead::Answer(status, body)) => {
            return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
        }
        Some(Instead::Html) => return axum::response::Html("<p>Sign in</p>").into_response(),
        Some(Instead::Wait(wait)) => tokio::time::sleep(wait).await,
        Some(Instead::LoseAnswer) | None => {}
    }
    let mut told = manager.told();
    let events = body["events"].as_array().cloned().unwrap_or_default();
    if events
        .iter()
        .any(|event| told.poison.contains(&subject(event).as_str()))
    {
        return (StatusCode::UNPROCESSABLE_ENTITY, "events[0]: malformed").into_response();
    }
    let count = told.calls.len();
    told.calls.push(Call {
        route: route.clone(),
        body,
    });
    let run = told.run_ids.front().copied().unwrap_or("NEW");
    if route.contains("/sdk/sync/create") {
        told.run_ids.pop_front();
    }
    drop(told);
    if matches!(instead, Some(Instead::LoseAnswer)) {
        // An answer that ends before its announced length looks like a broken connection.
        return Response::builder()
            .header("content-length", "100")
            .body("{".into())
            .unwrap();
    }
    if route.contains("content") {
        return Json(json!({ "content_id": format!("C{count}") })).into_response();
    }
    Json(json!({ "status": "ok", "sync_run_id": run })).into_response()
}

/// A served connector.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
}

pub(crate) async fn serve(connector: impl Connector, manager: &Manager) -> Served {
    serve_with(connector, manager, |_| ()).await
}

/// Serves a connector like [`serve`], with other settings.
pub(crate) async fn serve_with(
    connector: impl Connector,
    manager: &Manager,
    change: impl FnOnce(&mut ServerConfig),
) -> Served {
    // The server picks the port. Its address is in its registration.
    let mut config = ServerConfig::loopback(&manager.url);
    change(&mut config);
    tokio::spawn(async move {
        omni_connector::serve_with_config(connector, config)
            .await
            .unwrap();
    });
    Served::registered(manager).await
}

/// A separate process: logs, exports and environment variables belong to a whole process.
pub(crate) struct Process(Child);

impl Process {
    /// Runs the ignored test `name` of this program, which serves a connector with the settings in the environment.
    pub(crate) fn start(name: &str, manager: &Manager, variables: &[(&str, &str)]) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--ignored", "--nocapture"])
            .env("CONNECTOR_MANAGER_URL", &manager.url)
            .env("CONNECTOR_HOST_NAME", "127.0.0.1")
            .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
            .env("PORT", "0")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Stops the process and waits for its end. Returns its standard error.
    pub(crate) async fn end(mut self) -> String {
        let id = self.0.id().to_string();
        let asked = Command::new("kill").arg(&id).status().unwrap();
        assert!(asked.success(), "process {id} had ended before");
        let mut errors = self.0.stderr.take().unwrap();
        // The test may have to answer calls of the process meanwhile.
        let read = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).map(|_| text)
        });
        read.await.unwrap().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Served {
    /// Returns the whole response, with headers.
    pub(crate) async fn send(
        &self,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Result<reqwest::Response> {
        let request = self.http.post(format!("{}{path}", self.url)).body(body);
        request.send().await
    }

    /// Returns the connector that registered with the manager.
    pub(crate) async fn registered(manager: &Manager) -> Self {
        let manifest = manager.told_of("/sdk/register").await;
        let http = omni_connector::HttpClient::builder()
            .no_proxy()
            .build()
            .unwrap();
        Self {
            url: manifest["connector_url"].as_str().unwrap().to_owned(),
            http,
        }
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let answer = self.send(path, body).await.unwrap();
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or_default(),
        )
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self
            .http
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or_default(),
        )
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        let request = self.http.get(format!("{}{path}", self.url));
        request.send().await.unwrap().text().await.unwrap()
    }

    pub(crate) async fn start(&self, run: &str, mode: &str) -> (u16, Value) {
        let body = json!({ "sync_run_id": run, "source_id": "S1", "sync_mode": mode });
        self.post("/sync", body.to_string()).await
    }

    /// Waits until the process no longer works on the run.
    pub(crate) async fn ended(&self, run: &str) {
        for _ in 0..1_000 {
            if self.get(&format!("/sync/{run}")).await.1["running"] == false {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("run {run} never ended");
    }
}
