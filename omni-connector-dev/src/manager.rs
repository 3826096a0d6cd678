//! The manager as a value: started, asked for what its HTTP routes do not offer, and shut down. It listens on loopback and
//! nowhere else.

use std::{net::SocketAddr, time::Duration};

use omni_connector::{AuthType, Manifest, ServiceCredential, SyncType};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    extract::FileNote,
    lookup,
    oauth::SignIns,
    options::{Options, Storage},
    page::{self, Door, Page},
    routes::{self, App},
    rules::{self, ActionAnswer, ActionCall, ActionError, Description, Descriptions, Progress},
    runs::{self, CancelError, Supervisor, TriggerError},
    shared::Shared,
    state::Registry,
    store::{
        Store, StoreError, credentials, registrations,
        runs::{RefusedEvent, Run, TriggerType},
        sources::SourceRecord,
        users::{User, UserRole},
    },
};

/// How long open requests may take to end when the manager is shut down.
const FAREWELL: Duration = Duration::from_secs(2);
/// Time between two looks at a run that is waited for.
const GLANCE: Duration = Duration::from_millis(50);

/// Why a manager did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened.
    #[error("the manager's store cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// The port cannot be listened on.
    #[error("the manager cannot listen on {address}: {error}")]
    Listen {
        /// Where it tried to.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The HTTP client cannot be built.
    #[error("the manager's HTTP client cannot be built: {0}")]
    Client(#[from] reqwest::Error),
}

/// A running development manager. Shut it down with [`shutdown`](Self::shutdown); one that is dropped stops at once.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use omni_connector_dev::{Manager, Options};
/// use omni_connector::SyncType;
/// use std::time::Duration;
///
/// let manager = Manager::start(Options::default()).await?;
/// // … start a connector with CONNECTOR_MANAGER_URL = manager.url() …
/// let manifest = manager.registration("acme", Duration::from_secs(30)).await;
/// let source = manager.source("acme", "jira", serde_json::json!({})).await?;
/// let run = manager.sync(&source.id, SyncType::Full).await?;
/// let outcome = manager.wait(&run.id, |progress| println!("{}", progress.run.documents_scanned)).await?;
/// println!("{:?}: {:?}", outcome.run.status, outcome.effects);
/// manager.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Manager {
    app: App,
    address: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<()>,
    supervision: Option<JoinHandle<()>>,
    following: JoinHandle<()>,
    door: Door,
}

impl Manager {
    /// Opens the store, listens on loopback and starts the background loop.
    ///
    /// # Errors
    /// A store that cannot be opened, a port in use.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let store = match &options.storage {
            Storage::Folder(folder) => Store::open(folder)?,
            Storage::Memory => Store::in_memory()?,
        };
        let address = options.address();
        let watched = options.runs.tick.is_some() && options.runs.probe_at_start;
        let before = if watched {
            store.write(|db| registrations::take_live(db)).await?
        } else {
            Vec::new()
        };
        let tick = options.runs.tick;
        let registry = Registry::new(options.registration_ttl, before);
        let shared = Shared::new(options, store, registry)?;
        let mut supervisor = Supervisor::new(shared.clone());
        if watched {
            supervisor.probe().await;
        }

        let listen = |error| StartError::Listen { address, error };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let stop = CancellationToken::new();
        let app = App {
            shared,
            sign_ins: SignIns::default(),
            descriptions: Descriptions::default(),
        };
        let door = Door::new(address.port());
        let page = Page::new(app.shared.clone(), app.descriptions.clone(), door.clone());
        let router = routes::router(app.clone(), page::router(page));
        let following = tokio::spawn(page::follow(app.shared.clone(), door.clone()));
        let stopped = stop.clone().cancelled_owned();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router)
                .with_graceful_shutdown(stopped)
                .await
            {
                tracing::error!(%error, "the manager's server ended");
            }
        });
        let supervision = tick.map(|tick| tokio::spawn(supervisor.run(tick)));
        tracing::info!(%address, "the development manager listens");
        Ok(Self {
            app,
            address,
            stop,
            server,
            supervision,
            following,
            door,
        })
    }

    /// A new address of the development page. It lets one browser in, once.
    pub fn page(&self) -> String {
        format!("{}{}", self.url(), self.door.path())
    }

    /// What the development command and the page tell each other.
    #[cfg(feature = "cli")]
    pub(crate) fn workbench(&self) -> &crate::workbench::Workbench {
        &self.app.shared.workbench
    }

    /// Where connectors and clients reach it, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it remembers.
    pub fn store(&self) -> &Store {
        &self.app.shared.store
    }

    /// Waits until the connector named `connector_id` registers, and gives its manifest; a registration that came since the
    /// manager started counts. None when none came within `patience`.
    pub async fn registration(&self, connector_id: &str, patience: Duration) -> Option<Manifest> {
        let mut registrations = self.app.shared.registry.registrations();
        timeout(patience, async {
            loop {
                if let Some(manifest) = self.app.shared.registry.find(connector_id) {
                    return Some(manifest);
                }
                registrations.changed().await.ok()?;
            }
        })
        .await
        .ok()
        .flatten()
    }

    /// Waits until any connector registers.
    pub async fn any_registration(&self, patience: Duration) -> Option<Manifest> {
        let first = rules::first_registration(&self.app.shared);
        timeout(patience, first).await.ok()
    }

    /// The source of that name and type with that config from now on, or a new one. Scheduled runs are off.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn source(
        &self,
        name: &str,
        source_type: &str,
        config: Value,
    ) -> Result<SourceRecord, StoreError> {
        let description = Description {
            name: name.to_owned(),
            source_type: source_type.to_owned(),
            config: Some(config),
            secret: None,
            needs_credential: false,
        };
        let described = rules::describe(&self.app.shared, &self.app.descriptions, description);
        Ok(described.await?.source)
    }

    /// The user of that address, or a new one in that role.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn user(&self, email: &str, role: UserRole) -> Result<User, StoreError> {
        lookup::user(&self.app.shared, email, role).await
    }

    /// Stores a credential of a source, in place of the one of the same owner; `None` is the organisation.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn put_credential(
        &self,
        source_id: &str,
        user_id: Option<String>,
        provider: &str,
        auth_type: AuthType,
        secret: Value,
    ) -> Result<ServiceCredential, StoreError> {
        let credential = credentials::new(source_id, user_id, provider, auth_type, secret);
        self.app
            .shared
            .store
            .write(move |db| {
                credentials::put(db, &credential)?;
                Ok(credential)
            })
            .await
    }

    /// The next sign-in that ends from now on: the account's address, after the credential is stored and the connector was
    /// told, or why nobody is signed in, such as a person who refused. A callback that belongs to no sign-in ends none.
    pub fn signed_in(&self) -> impl Future<Output = Result<String, String>> + use<> {
        self.app.sign_ins.after(self.app.sign_ins.ended())
    }

    /// Starts a run by hand. `incremental` becomes `full` when nothing was ever completed.
    ///
    /// # Errors
    /// The refusals of `protocol.md` §3.9, and those of the connector.
    pub async fn sync(&self, source_id: &str, mode: SyncType) -> Result<Run, TriggerError> {
        runs::trigger(&self.app.shared, source_id, mode, TriggerType::Manual).await
    }

    /// Hands a run that was interrupted to its connector once more, from its last checkpoint.
    ///
    /// # Errors
    /// A source that is gone or off, a connector that is not registered or does not take the run.
    pub async fn resume(&self, run: &Run) -> Result<(), TriggerError> {
        runs::resume(&self.app.shared, run).await
    }

    /// Tells the connector to stop a run, and marks the run.
    ///
    /// # Errors
    /// An unknown run, one that is over, a connector that is not registered.
    pub async fn cancel(&self, run_id: &str) -> Result<(), CancelError> {
        runs::cancel(&self.app.shared, run_id).await
    }

    /// Calls an action of a source's connector, for `user_id` or, when it is none, for the system.
    ///
    /// # Errors
    /// The refusals of `protocol.md` §6.2 and §6.3. What the connector answers is no error, whatever its status.
    pub async fn call_action(
        &self,
        source_id: &str,
        user_id: Option<&str>,
        action: &str,
        params: Value,
    ) -> Result<ActionAnswer, ActionError> {
        let call = ActionCall {
            source_id: Some(source_id.to_owned()),
            source_type: None,
            user_id: user_id.map(str::to_owned),
            action: action.to_owned(),
            params,
            transient_credentials: None,
        };
        rules::call(&self.app.shared, call).await
    }

    /// Scopes that an action requires and this person has not granted with the account connected to the source; none where
    /// none is connected, which the call itself answers with [`ActionError::NeedsUserAuth`]. In Omni the AI service asks this
    /// before it calls (`protocol.md` §6.6): the manager enforces no scopes.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn missing_scopes(
        &self,
        source_id: &str,
        user_id: &str,
        action: &str,
    ) -> Result<Vec<String>, StoreError> {
        rules::missing_scopes(&self.app.shared, source_id, user_id, action).await
    }

    /// How far a run is; none for an unknown one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn progress(&self, run_id: &str) -> Result<Option<Progress>, StoreError> {
        rules::progress(&self.app.shared, run_id).await
    }

    /// Waits until the run is over, telling of every change on the way.
    ///
    /// # Errors
    /// Those of the store, and an unknown run.
    pub async fn wait(
        &self,
        run_id: &str,
        mut on_change: impl FnMut(&Progress),
    ) -> Result<Progress, StoreError> {
        let mut before = None;
        loop {
            let Some(progress) = self.progress(run_id).await? else {
                return Err(rusqlite::Error::QueryReturnedNoRows.into());
            };
            if before.as_ref() != Some(&progress) {
                on_change(&progress);
            }
            if !progress.run.is_running() {
                return Ok(progress);
            }
            before = Some(progress);
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// The latest runs, newest first, of one source or of all.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn runs(
        &self,
        source_id: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Run>, StoreError> {
        let source_id = source_id.map(str::to_owned);
        self.app
            .shared
            .store
            .read(move |db| crate::store::runs::latest(db, source_id.as_deref(), limit))
            .await
    }

    /// What people should know of the files of a run: those without text, parts that are left out, and text that Omni's own
    /// extraction loses. The first thousand notes of the latest sixteen runs are kept, as long as the manager lives.
    pub fn file_notes(&self, run_id: &str) -> Vec<FileNote> {
        self.app.shared.file_notes.of(run_id)
    }

    /// The first `limit` accepted events of a run that could not be applied.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn refused_events(
        &self,
        run_id: &str,
        limit: usize,
    ) -> Result<Vec<RefusedEvent>, StoreError> {
        rules::refusals(&self.app.shared, run_id, limit).await
    }

    /// Stops listening, lets open requests end within two seconds, and closes the store.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        self.stop_supervision();
        if timeout(FAREWELL, &mut self.server).await.is_err() {
            self.server.abort();
        }
    }

    fn stop_supervision(&self) {
        self.following.abort();
        if let Some(supervision) = &self.supervision {
            supervision.abort();
        }
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.stop.cancel();
        self.stop_supervision();
        self.server.abort();
    }
}
