//! The manager as a Rust value: starts, offers more than its HTTP routes do, and shuts down. Must
//! never listen beyond loopback.

#[cfg(feature = "testing")]
mod restart;

use std::{net::SocketAddr, time::Duration};

use omni_connector::{AuthType, Manifest, ServiceCredential, SyncType};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

#[cfg(feature = "cli")]
use crate::page::{self, Page, Sessions};
use crate::{
    extract::FileNote,
    lookup,
    oauth::SignIns,
    options::{Options, Storage},
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

/// How long open requests may take to finish during shutdown.
const FAREWELL: Duration = Duration::from_secs(2);
/// Poll interval while waiting for a run.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Why a manager did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened.
    #[error("the manager's store cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// The port cannot be opened.
    #[error("the manager cannot listen on {address}: {error}")]
    Listen {
        /// The address it tried to listen on.
        address: SocketAddr,
        /// The system's error.
        error: std::io::Error,
    },
    /// The HTTP client cannot be built.
    #[error("the manager's HTTP client cannot be built: {0}")]
    Client(#[from] reqwest::Error),
}

/// A running development manager. Stop it with [`shutdown`](Self::shutdown); dropping it stops it
/// at once.
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
    #[cfg(feature = "cli")]
    page: OpenPage,
}

/// The development page of a running manager.
#[cfg(feature = "cli")]
#[derive(Debug)]
struct OpenPage {
    sessions: Sessions,
    following: JoinHandle<()>,
}

impl Manager {
    /// Opens the store, listens on loopback and starts the background loop.
    ///
    /// # Errors
    /// Fails when the store cannot be opened or the port is in use.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let store = match &options.storage {
            Storage::Folder(folder) => Store::open(folder)?,
            Storage::Memory => Store::in_memory()?,
        };
        Self::start_with(options, store).await
    }

    async fn start_with(options: Options, store: Store) -> Result<Self, StartError> {
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
        #[cfg(feature = "cli")]
        let (page, pages) = OpenPage::of(&app, address.port());
        #[cfg(not(feature = "cli"))]
        let pages = axum::Router::new();
        let router = routes::router(app.clone(), pages);
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
            #[cfg(feature = "cli")]
            page,
        })
    }

    /// Returns a new address of the development page, which admits one browser once.
    #[cfg(feature = "cli")]
    pub fn page(&self) -> String {
        format!("{}{}", self.url(), self.page.sessions.path())
    }

    /// Returns the state shared by the development command and the page.
    #[cfg(feature = "cli")]
    pub(crate) fn workbench(&self) -> &crate::workbench::Workbench {
        &self.app.shared.workbench
    }

    /// Returns the manager's URL for connectors and clients, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the manager's store.
    pub fn store(&self) -> &Store {
        &self.app.shared.store
    }

    /// Waits up to `patience` for the registration of the connector `connector_id` and returns its
    /// manifest. An earlier registration with this manager counts. Returns `None` after `patience`.
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

    /// Waits up to `patience` for the registration of any connector.
    pub async fn any_registration(&self, patience: Duration) -> Option<Manifest> {
        let first = rules::first_registration(&self.app.shared);
        timeout(patience, first).await.ok()
    }

    /// Finds the source of that name and type and replaces its config, or creates one. Scheduled
    /// runs are off.
    ///
    /// # Errors
    /// Fails when the store fails.
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

    /// Finds the user with that e-mail address, or creates one with that role.
    ///
    /// # Errors
    /// Fails when the store fails.
    pub async fn user(&self, email: &str, role: UserRole) -> Result<User, StoreError> {
        lookup::user(&self.app.shared, email, role).await
    }

    /// Stores a credential of a source and replaces the one of the same owner. `None` is the
    /// organisation.
    ///
    /// # Errors
    /// Fails when the store fails.
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

    /// Waits for the next sign-in to end. Returns the account's e-mail address once the credential
    /// is stored and the connector notified. Returns an error message when the sign-in failed, for
    /// example because the person refused. Ignores callbacks that belong to no sign-in.
    pub fn signed_in(&self) -> impl Future<Output = Result<String, String>> + use<> {
        self.app.sign_ins.after(self.app.sign_ins.ended())
    }

    /// Starts a manual run. Uses `full` in place of `incremental` when no run was ever completed.
    ///
    /// # Errors
    /// Fails with the refusals of `protocol.md` §3.9 and with those of the connector.
    pub async fn sync(&self, source_id: &str, mode: SyncType) -> Result<Run, TriggerError> {
        runs::trigger(&self.app.shared, source_id, mode, TriggerType::Manual).await
    }

    /// Resumes an interrupted run: sends it to its connector again with its last checkpoint.
    ///
    /// # Errors
    /// Fails when the source is deleted or inactive, or when the connector is not registered or
    /// refuses the run.
    pub async fn resume(&self, run: &Run) -> Result<(), TriggerError> {
        runs::resume(&self.app.shared, run).await
    }

    /// Marks a run as cancelled and asks its connector to stop.
    ///
    /// # Errors
    /// Fails when the run is unknown or already ended, or when the connector is not registered.
    pub async fn cancel(&self, run_id: &str) -> Result<(), CancelError> {
        runs::cancel(&self.app.shared, run_id).await
    }

    /// Calls an action of a source's connector for `user_id`, or for the system when it is `None`.
    ///
    /// # Errors
    /// Fails with the refusals of `protocol.md` §6.2 and §6.3. A connector's answer is never an
    /// error, whatever its status.
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

    /// Returns the scopes that the action requires and this person's connected account has not
    /// granted.
    ///
    /// Returns none when no account is connected; the call itself then fails with
    /// [`ActionError::NeedsUserAuth`]. In Omni the AI service checks this before a call
    /// (`protocol.md` §6.6). The manager does not enforce scopes.
    ///
    /// # Errors
    /// Fails when the store fails.
    pub async fn missing_scopes(
        &self,
        source_id: &str,
        user_id: &str,
        action: &str,
    ) -> Result<Vec<String>, StoreError> {
        rules::missing_scopes(&self.app.shared, source_id, user_id, action).await
    }

    /// Returns a run's progress, or `None` for an unknown run.
    ///
    /// # Errors
    /// Fails when the store fails.
    pub async fn progress(&self, run_id: &str) -> Result<Option<Progress>, StoreError> {
        rules::progress(&self.app.shared, run_id).await
    }

    /// Waits until the run has ended and reports every change on the way.
    ///
    /// # Errors
    /// Fails when the store fails or the run is unknown.
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
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Everything that looks wrong with a source.
    #[cfg(feature = "cli")]
    pub(crate) async fn doubts(&self, source_id: &str) -> Result<Vec<rules::Doubt>, StoreError> {
        rules::doubts(&self.app.shared, source_id).await
    }

    /// Returns the latest runs of one source or of all, newest first.
    ///
    /// # Errors
    /// Fails when the store fails.
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

    /// Returns notes on the files of a run: files without text, omitted parts, and text that Omni's
    /// own extraction loses. Keeps the first thousand notes of each of the latest sixteen runs
    /// until the manager ends.
    pub fn file_notes(&self, run_id: &str) -> Vec<FileNote> {
        self.app.shared.file_notes.of(run_id)
    }

    /// Returns the first `limit` accepted events of a run that could not be applied.
    ///
    /// # Errors
    /// Fails when the store fails.
    pub async fn refused_events(
        &self,
        run_id: &str,
        limit: usize,
    ) -> Result<Vec<RefusedEvent>, StoreError> {
        rules::refusals(&self.app.shared, run_id, limit).await
    }

    /// Stops listening, gives open requests two seconds to finish, and closes the store.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        self.stop_supervision();
        if timeout(FAREWELL, &mut self.server).await.is_err() {
            self.server.abort();
        }
    }

    fn stop_supervision(&self) {
        #[cfg(feature = "cli")]
        self.page.following.abort();
        if let Some(supervision) = &self.supervision {
            supervision.abort();
        }
    }
}

#[cfg(feature = "cli")]
impl OpenPage {
    /// Opens the page, and returns its routes.
    fn of(app: &App, port: u16) -> (Self, axum::Router<App>) {
        let sessions = Sessions::new(port);
        let page = Page::new(
            app.shared.clone(),
            app.descriptions.clone(),
            sessions.clone(),
        );
        let following = tokio::spawn(page::follow(app.shared.clone(), sessions.clone()));
        (
            Self {
                sessions,
                following,
            },
            page::router(page),
        )
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.stop.cancel();
        self.stop_supervision();
        self.server.abort();
    }
}
