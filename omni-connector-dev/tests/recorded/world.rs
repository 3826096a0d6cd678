//! A manager with the data of the real one's database, and functions that change it between two
//! exchanges.

use std::time::Duration;

use omni_connector::{AuthType, HttpClient, Manifest, ServiceCredential, SyncType};
use omni_connector_dev::{
    Manager, Options,
    store::{
        StoreError, checkpoints, configs, credentials, runs,
        sources::{self, SourceRecord},
        users::{self, User, UserRole},
    },
};
use rusqlite::{Transaction, params};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};
use tokio::net::TcpStream;

use crate::{
    compare::Ids,
    fake::{UNREACHABLE, Wire},
};

/// Creation time of all prepared data.
const MADE: OffsetDateTime = datetime!(2026-08-01 09:00 UTC);
pub(crate) const ADA: &str = "01K3SER0000000000000000001";
pub(crate) const BOB: &str = "01K3SER0000000000000000002";

pub(crate) struct World {
    manager: Option<Manager>,
    pub(crate) wire: Wire,
    pub(crate) ids: Ids,
    pub(crate) http: HttpClient,
    /// An unfinished request that keeps the manager busy.
    pub(crate) held: Option<TcpStream>,
}

/// The real manager's options, with shorter waits.
pub(crate) fn options() -> Options {
    let mut options = Options::default();
    options.calls.call = Duration::from_secs(10);
    options.calls.sync_retries = vec![Duration::from_millis(10); 3];
    options.calls.jitter = Duration::from_millis(10);
    options.calls.probe = Duration::from_millis(500);
    options.progress_interval = Duration::from_millis(100);
    options.runs.tick = None;
    options
}

/// Returns `01K3SRC…` with that number.
pub(crate) fn source_id(number: u32) -> String {
    format!("01K3SRC{number:019}")
}

/// Returns `01K3REC…` with that number.
pub(crate) fn run_id(number: u32) -> String {
    format!("01K3REC{number:019}")
}

/// Returns `01K3CRED…` with that number.
pub(crate) fn credential_id(number: u32) -> String {
    format!("01K3CRED{number:018}")
}

impl World {
    pub(crate) async fn start(options: Options) -> Self {
        let mut world = Self {
            manager: None,
            wire: Wire::start().await,
            ids: Ids::default(),
            http: HttpClient::from(
                HttpClient::builder()
                    .no_gzip()
                    .no_deflate()
                    .build()
                    .unwrap(),
            ),
            held: None,
        };
        world.restart(options).await;
        world
    }

    /// Starts another manager with the users only.
    pub(crate) async fn restart(&mut self, options: Options) {
        if let Some(manager) = self.manager.take() {
            manager.shutdown().await;
        }
        let manager = Manager::start(options).await.unwrap();
        self.wire.set_manager(manager.url());
        self.manager = Some(manager);
        for (id, email, role) in [
            (ADA, "ada@example.com", UserRole::Admin),
            (BOB, "bob@example.com", UserRole::User),
        ] {
            let user = User {
                id: id.to_owned(),
                email: email.to_owned(),
                role,
            };
            self.write(move |db| users::put(db, &user)).await;
        }
    }

    pub(crate) fn manager(&self) -> &Manager {
        self.manager.as_ref().unwrap()
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.manager().store().write(job).await.unwrap()
    }

    /// Stores a source, changed by `change`.
    pub(crate) async fn source(
        &self,
        number: u32,
        source_type: &str,
        change: impl FnOnce(&mut SourceRecord),
    ) {
        let name = format!("Source {number}");
        let mut source = SourceRecord::new(name, source_type, json!({}), ADA);
        source.id = source_id(number);
        source.created_at = MADE;
        source.updated_at = MADE;
        change(&mut source);
        self.write(move |db| sources::put(db, &source)).await;
    }

    /// Stores the checkpoint of the source's last run.
    pub(crate) async fn checkpoint(&self, number: u32, checkpoint: Value) {
        let owner = source_id(number);
        self.write(move |db| checkpoints::put(db, &owner, &checkpoint))
            .await;
    }

    pub(crate) async fn find_checkpoint(&self, owner: &str) -> Option<Value> {
        let owner = owner.to_owned();
        self.write(move |db| checkpoints::find(db, &owner)).await
    }

    pub(crate) async fn find_source(&self, id: &str) -> Option<SourceRecord> {
        let id = id.to_owned();
        self.write(move |db| sources::find(db, &id)).await
    }

    pub(crate) async fn change_source(&self, number: u32, change: impl FnOnce(&mut SourceRecord)) {
        let mut source = self.find_source(&source_id(number)).await.unwrap();
        change(&mut source);
        self.write(move |db| sources::put(db, &source)).await;
    }

    /// Stores a credential, changed by `change`.
    pub(crate) async fn credential(
        &self,
        number: u32,
        source: u32,
        auth_type: AuthType,
        secret: Value,
        change: impl FnOnce(&mut ServiceCredential),
    ) {
        let source_id = source_id(source);
        let mut credential = credentials::new(&source_id, None, "github", auth_type, secret);
        credential.id = credential_id(number);
        credential.created_at = MADE;
        credential.updated_at = MADE;
        change(&mut credential);
        self.write(move |db| credentials::put(db, &credential))
            .await;
    }

    pub(crate) async fn remove_credentials(&self, source: u32) {
        let source_id = source_id(source);
        let remove = move |db: &Transaction<'_>| {
            db.execute("DELETE FROM credentials WHERE source_id = ?1", [source_id])?;
            Ok(())
        };
        self.write(remove).await;
    }

    /// Stores a provider's settings; null removes them.
    pub(crate) async fn config(&self, provider: &'static str, config: Value) {
        let put = move |db: &Transaction<'_>| {
            if config.is_null() {
                db.execute(
                    "DELETE FROM connector_configs WHERE provider = ?1",
                    [provider],
                )?;
                return Ok(());
            }
            configs::put(db, provider, &config)
        };
        self.write(put).await;
    }

    /// Stores a running run with that id.
    pub(crate) async fn run(&self, run: u32, source: u32, sync_type: SyncType) {
        let (id, source_id) = (run_id(run), source_id(source));
        let insert = move |db: &Transaction<'_>| {
            let made = runs::insert(db, &source_id, sync_type, runs::TriggerType::Manual)?;
            db.execute(
                "UPDATE sync_runs SET id = ?2 WHERE id = ?1",
                params![made.id, id],
            )?;
            Ok(())
        };
        self.write(insert).await;
    }

    /// Fails the running run of a source.
    pub(crate) async fn end(&self, source: u32) {
        let source_id = source_id(source);
        let end = move |db: &Transaction<'_>| {
            for run in runs::running(db)? {
                if run.source_id == source_id {
                    runs::fail(db, &run.id, "end of recording")?;
                }
            }
            Ok(())
        };
        self.write(end).await;
    }

    /// Completes a run, with a checkpoint if given.
    pub(crate) async fn complete(&self, run: u32, checkpoint: Option<Value>) {
        let id = self.ids.of(&run_id(run));
        let complete = move |db: &Transaction<'_>| {
            if let Some(checkpoint) = checkpoint {
                runs::save_checkpoint(db, &id, &checkpoint)?;
            }
            assert!(runs::complete(db, &id)?, "{id} does not run");
            Ok(())
        };
        self.write(complete).await;
    }

    /// Registers the connector `acme`, or another one, at its fake.
    pub(crate) async fn register(&self, manifest: Value) {
        let mut whole = json!({
            "name": "acme", "display_name": "Acme", "version": "1.2.3",
            "sync_modes": ["full", "incremental"], "connector_id": "acme",
            "connector_url": self.wire.url(0), "source_types": ["github"],
        });
        let members = manifest.as_object().unwrap().clone();
        whole.as_object_mut().unwrap().extend(members);
        let url = format!("{}/sdk/register", self.manager().url());
        let answer = self.http.post(url).json(&whole).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }

    /// Registers `acme` at an address where nothing listens.
    pub(crate) async fn register_unreachable(&self, mut manifest: Value) {
        manifest["connector_url"] = self.wire.url(UNREACHABLE).into();
        let listening = self.wire.listen_for_a_moment().await;
        self.register(manifest).await;
        drop(listening);
    }

    pub(crate) async fn registered(&self, connector_id: &str) -> Option<Manifest> {
        self.manager()
            .registration(connector_id, Duration::ZERO)
            .await
    }
}
