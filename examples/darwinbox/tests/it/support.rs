//! The connector, served to the real development manager, and what it makes of calls and runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use darwinbox::Darwinbox;
use omni_connector::{AuthType, SyncType, prelude::*};
use omni_connector_dev::{
    Manager, Options, Progress,
    store::{
        StoreError, checkpoints,
        documents::{self, StoredDocument},
        people,
        runs::RunStatus,
        sources::{self, SourceRecord},
        users::UserRole,
    },
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::fake::Fake;

pub(crate) const ADA: &str = "ada.light@example.com";
pub(crate) const BOB: &str = "bob@example.com";
pub(crate) const CAROL: &str = "carol@example.com";

/// Everything that runs in a test.
pub(crate) struct World {
    pub(crate) hr: Fake,
    pub(crate) manager: Manager,
    pub(crate) source: SourceRecord,
    connector: String,
    sent: Sent,
    http: HttpClient,
    tasks: Vec<JoinHandle<()>>,
}

/// What the connector sent: events, and texts by their ids.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<(Vec<Value>, Texts)>>);

/// Texts by their ids.
type Texts = BTreeMap<String, String>;

/// The credential of the recording.
pub(crate) fn basic() -> Value {
    json!({
        "auth_type": "basic", "username": "hr-user", "password": "hr-pass", "api_key": "hr-key", "dataset_key": "hr-set",
    })
}

/// A config under which everybody may do everything.
pub(crate) fn open(hr: &Fake) -> Value {
    json!({ "base_url": hr.url, "read_only": false, "authorization": { "participant_mode": "all", "max_batch_size": 1 } })
}

impl World {
    pub(crate) async fn start() -> Self {
        let hr = Fake::start().await;
        let config = open(&hr);
        Self::with(hr, config, AuthType::BasicAuth, basic()).await
    }

    pub(crate) async fn with(hr: Fake, config: Value, auth_type: AuthType, secret: Value) -> Self {
        let manager = Manager::start(Options::default()).await.unwrap();
        let http: HttpClient = HttpClient::builder().no_proxy().build().unwrap().into();
        let sent = Sent::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let between = format!("http://{}", listener.local_addr().unwrap());
        let routes =
            Router::new()
                .fallback(pass_on)
                .with_state((manager.url(), http.clone(), sent.clone()));
        let proxy = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let settings = omni_connector::ServerConfig::loopback(between);
        let server = tokio::spawn(async move {
            omni_connector::serve_with_config(Darwinbox, settings)
                .await
                .unwrap();
        });
        let manifest = manager
            .registration("darwinbox", Duration::from_secs(30))
            .await
            .unwrap();
        let source = manager.source("HR", "darwinbox", config).await.unwrap();
        manager
            .put_credential(&source.id, None, "darwinbox", auth_type, secret)
            .await
            .unwrap();
        Self {
            hr,
            manager,
            source,
            connector: manifest.connector_url,
            sent,
            http,
            tasks: vec![proxy, server],
        }
    }

    /// Calls an action on behalf of a person, or as the system itself.
    pub(crate) async fn call(
        &self,
        action: &str,
        params: Value,
        actor: Option<&str>,
    ) -> (u16, Value) {
        let mut call = json!({ "source_id": self.source.id, "action": action, "params": params });
        if let Some(email) = actor {
            call["user_id"] = self
                .manager
                .user(email, UserRole::User)
                .await
                .unwrap()
                .id
                .into();
        }
        let url = format!("{}/action", self.manager.url());
        let answer = self.http.post(url).json(&call).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The result of a call that succeeds.
    pub(crate) async fn ask(&self, action: &str, params: Value, actor: &str) -> Value {
        let (status, answer) = self.call(action, params, Some(actor)).await;
        assert_eq!(status, 200, "{action}: {answer}");
        answer["result"].clone()
    }

    /// The status and the error of a call that does not.
    pub(crate) async fn refused(&self, action: &str, params: Value, actor: &str) -> (u16, String) {
        let (status, answer) = self.call(action, params, Some(actor)).await;
        assert_ne!(status, 200, "{action}: {answer}");
        (
            status,
            answer["error"].as_str().unwrap_or_default().to_owned(),
        )
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self
            .http
            .get(format!("{}{path}", self.connector))
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }

    /// A world after its first sync.
    pub(crate) async fn synced() -> Self {
        let world = Self::start().await;
        world.completes(SyncType::Full).await;
        world
    }

    /// A run that does what it should.
    pub(crate) async fn completes(&self, mode: SyncType) -> Progress {
        let progress = self.sync(mode).await;
        let run = &progress.run;
        assert_eq!(run.status, RunStatus::Completed, "{run:?}");
        assert_eq!(progress.effects.refused, 0);
        progress
    }

    /// A run from its beginning to its end.
    pub(crate) async fn sync(&self, mode: SyncType) -> Progress {
        let run = self.manager.sync(&self.source.id, mode).await.unwrap();
        self.manager.wait(&run.id, |_| {}).await.unwrap()
    }

    /// The message of a run that fails.
    pub(crate) async fn fails(&self, mode: SyncType) -> String {
        let run = self.sync(mode).await.run;
        assert_eq!(run.status, RunStatus::Failed, "{run:?}");
        run.error_message.unwrap()
    }

    /// What the report of a run names.
    pub(crate) async fn report(&self, progress: &Progress) -> String {
        self.get(&format!("/sync/{}/report", progress.run.id))
            .await
            .to_string()
    }

    /// Changes the source, as an admin does.
    pub(crate) async fn change_source(
        &self,
        change: impl FnOnce(&mut SourceRecord) + Send + 'static,
    ) {
        let id = self.source.id.clone();
        let changed = self.manager.store().write(move |db| {
            let mut source = sources::find(db, &id)?.unwrap();
            change(&mut source);
            sources::put(db, &source)
        });
        changed.await.unwrap();
    }

    /// Puts a checkpoint in the place of the source's.
    pub(crate) async fn put_checkpoint(&self, checkpoint: Value) {
        let id = self.source.id.clone();
        let put = self
            .manager
            .store()
            .write(move |db| checkpoints::put(db, &id, &checkpoint));
        put.await.unwrap();
    }

    pub(crate) async fn checkpoint(&self) -> Value {
        let id = self.source.id.clone();
        let found = self
            .manager
            .store()
            .read(move |db| checkpoints::find(db, &id));
        found.await.unwrap().unwrap()
    }

    pub(crate) async fn documents(&self) -> Vec<StoredDocument> {
        let id = self.source.id.clone();
        self.manager
            .store()
            .read(move |db| documents::of_source(db, &id))
            .await
            .unwrap()
    }

    /// Ids of all documents whose kind has this prefix.
    pub(crate) async fn ids(&self, prefix: &str) -> Vec<String> {
        let prefix = format!("darwinbox:{prefix}");
        let documents = self.documents().await.into_iter();
        let ids = documents.map(|document| document.document_id);
        ids.filter(|id| id.starts_with(&prefix)).collect()
    }

    pub(crate) async fn person(&self, email: &str) -> Option<PersonSyncRecord> {
        let (id, email) = (self.source.id.clone(), email.to_owned());
        let read = self
            .manager
            .store()
            .read(move |db| people::find_person(db, &id, &email));
        read.await
            .map(|found| found.map(|(person, _)| person))
            .map_err(|error: StoreError| error.to_string())
            .unwrap()
    }

    /// The events that were sent since the last look, with their texts in place of the ids.
    pub(crate) fn events(&self) -> Vec<Value> {
        let mut sent = self.sent.0.lock().unwrap();
        let events = std::mem::take(&mut sent.0);
        let with_text = |mut event: Value| {
            let fields = event.as_object_mut().unwrap();
            fields.remove("sync_run_id");
            fields.remove("source_id");
            if let Some(id) = fields.remove("content_id") {
                fields.insert(
                    "content".to_owned(),
                    sent.1[id.as_str().unwrap()].clone().into(),
                );
            }
            event
        };
        events.into_iter().map(with_text).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Passes a call on to the manager, and keeps what it brought.
async fn pass_on(
    State((manager, http, sent)): State<(String, HttpClient, Sent)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let url = format!("{manager}{}", parts.uri);
    let mut headers = parts.headers;
    headers.remove("host");
    let answer = http
        .request(parts.method, url)
        .headers(headers)
        .body(body.clone())
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let said = answer.bytes().await.unwrap();
    if status.is_success() {
        let (asked, said): (Value, Value) = (
            serde_json::from_slice(&body).unwrap_or_default(),
            serde_json::from_slice(&said).unwrap_or_default(),
        );
        let mut sent = sent.0.lock().unwrap();
        if parts.uri.path() == "/sdk/content" {
            let id = said["content_id"].as_str().unwrap().to_owned();
            sent.1
                .insert(id, asked["content"].as_str().unwrap().to_owned());
        }
        if parts.uri.path() == "/sdk/events/batch" {
            sent.0
                .extend(asked["events"].as_array().unwrap().iter().cloned());
        }
    }
    (
        status,
        [("content-type", "application/json")],
        Body::from(said),
    )
        .into_response()
}
