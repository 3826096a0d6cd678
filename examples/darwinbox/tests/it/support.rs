//! The connector, served to the real development manager, and what it makes of calls and runs.

use std::time::Duration;

use darwinbox::Darwinbox;
use omni_connector::{AuthType, SyncType, prelude::*};
use omni_connector_dev::{
    Manager, Options, Progress,
    store::{
        StoreError,
        documents::{self, StoredDocument},
        people,
        runs::RunStatus,
        sources::{self, SourceRecord},
        users::UserRole,
    },
};
use tokio::task::JoinHandle;

use crate::hr::Hr;

pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const BO: &str = "bo@example.com";
pub(crate) const HAL: &str = "hal@example.com";

/// Groups of departments.
pub(crate) const ENGINEERING: &str = "engineering@departments.127.0.0.1";
pub(crate) const CULTURE: &str = "people_culture@departments.127.0.0.1";

/// Everything that runs in a test.
pub(crate) struct World {
    pub(crate) hr: Hr,
    pub(crate) manager: Manager,
    pub(crate) source: SourceRecord,
    url: String,
    http: HttpClient,
    server: JoinHandle<()>,
}

/// The answer to a call.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl World {
    pub(crate) async fn start() -> Self {
        let hr = Hr::start().await;
        let manager = Manager::start(Options::default()).await.unwrap();
        let config = omni_connector::ServerConfig {
            listen: [127, 0, 0, 1].into(),
            ..omni_connector::ServerConfig::new(manager.url(), "127.0.0.1", 0)
        };
        let server = tokio::spawn(async move {
            omni_connector::serve_with_config(Darwinbox, config)
                .await
                .unwrap();
        });
        let patience = Duration::from_secs(30);
        let manifest = manager.registration("darwinbox", patience).await.unwrap();
        let settings = json!({ "api_url": hr.url });
        let source = manager.source("HR", "darwinbox", settings).await.unwrap();
        let secret = json!({ "api_key": "darwin", "api_secret": "s3cret" });
        manager
            .put_credential(&source.id, None, "darwinbox", AuthType::ApiKey, secret)
            .await
            .unwrap();
        Self {
            hr,
            manager,
            source,
            url: manifest.connector_url,
            http: HttpClient::builder().no_proxy().build().unwrap().into(),
            server,
        }
    }

    /// Calls an action on behalf of a person, or as the system itself. Hal is an admin of Omni.
    pub(crate) async fn call(&self, action: &str, params: Value, actor: Option<&str>) -> Answer {
        let mut call = json!({ "source_id": self.source.id, "action": action, "params": params });
        if let Some(email) = actor {
            let role = if email == HAL {
                UserRole::Admin
            } else {
                UserRole::User
            };
            call["user_id"] = self.manager.user(email, role).await.unwrap().id.into();
        }
        let url = format!("{}/action", self.manager.url());
        let answer = self.http.post(url).json(&call).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Answer {
            status,
            headers,
            text,
            json,
        }
    }

    /// The result of a call that succeeds.
    pub(crate) async fn ask(&self, action: &str, params: Value, actor: &str) -> Value {
        let answer = self.call(action, params, Some(actor)).await;
        assert_eq!(answer.status, 200, "{action}: {}", answer.text);
        answer.json["result"].clone()
    }

    /// The status and the error of a call that does not.
    pub(crate) async fn refused(
        &self,
        action: &str,
        params: Value,
        actor: impl Into<Option<&str>>,
    ) -> (u16, String) {
        let answer = self.call(action, params, actor.into()).await;
        let error = answer.json["error"].as_str().unwrap_or(&answer.text);
        (answer.status, error.to_owned())
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.url);
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
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
        assert_eq!((run.sync_type, progress.effects.refused), (mode, 0));
        progress
    }

    /// A run from its beginning to its end.
    pub(crate) async fn sync(&self, mode: SyncType) -> Progress {
        let run = self.manager.sync(&self.source.id, mode).await.unwrap();
        self.manager.wait(&run.id, |_| {}).await.unwrap()
    }

    /// Changes the source, as an admin does.
    pub(crate) async fn change_source(
        &mut self,
        change: impl FnOnce(&mut SourceRecord) + Send + 'static,
    ) {
        let id = self.source.id.clone();
        let changed = self.manager.store().write(move |db| {
            let mut source = sources::find(db, &id)?.unwrap();
            change(&mut source);
            sources::put(db, &source)?;
            Ok::<_, StoreError>(source)
        });
        self.source = changed.await.unwrap();
    }

    pub(crate) async fn documents(&self) -> Vec<StoredDocument> {
        let id = self.source.id.clone();
        let read = self
            .manager
            .store()
            .read(move |db| documents::of_source(db, &id));
        read.await.unwrap()
    }

    pub(crate) async fn document_ids(&self) -> Vec<String> {
        let documents = self.documents().await.into_iter();
        documents.map(|document| document.document_id).collect()
    }

    pub(crate) async fn person(&self, email: &str) -> Option<omni_connector::PersonSyncRecord> {
        let (id, email) = (self.source.id.clone(), email.to_owned());
        let read = self
            .manager
            .store()
            .read(move |db| people::find_person(db, &id, &email));
        read.await.unwrap().map(|(person, _)| person)
    }

    pub(crate) async fn members(&self, group: &str) -> Vec<String> {
        let (id, group) = (self.source.id.clone(), group.to_owned());
        let read = self
            .manager
            .store()
            .read(move |db| people::members_of(db, &id, &group));
        read.await.unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}
