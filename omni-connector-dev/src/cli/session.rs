//! A manager with a registered connector, for one command.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use omni_connector::{HttpClient, Manifest};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{
    client::Client,
    connector_process::ConnectorProcess,
    failure::Failure,
    interrupts::Interrupts,
    output::with_cause,
    readers, running_manager,
    settings::SourceArguments,
    taping::Taping,
    target::{ConnectorArguments, Program, Target},
};
use crate::{
    manager::{Manager, StartError},
    options::{ExtractionLimits, Options, RunLimits, Storage},
    rules::{Described, Description},
    store::{
        StoreError,
        folder::{prepare, private_file},
    },
};

/// The time limit of the connector's own routes.
const ANSWER: Duration = Duration::from_secs(30);

/// A manager with its connector. End it with [`stop`](Self::stop).
pub(super) struct Session {
    pub client: Client,
    pub manifest: Manifest,
    /// None for a connector that was already running.
    pub process: Option<ConnectorProcess>,
    pub http: HttpClient,
    taping: Taping,
    /// None if `cargo omni dev` runs the manager and the connector.
    own: Option<(Manager, File)>,
}

impl Session {
    /// Builds and starts the connector named in `arguments`, and waits for its registration.
    pub(super) async fn start(
        arguments: &ConnectorArguments,
        package: Option<&str>,
        store: &Path,
        taping: Taping,
        interrupts: &Interrupts,
    ) -> Result<Self, Failure> {
        let running = running_manager::find_for(arguments, package, store, interrupts).await?;
        if let Some(running) = running {
            taping.needs_own_process("the connector of `cargo omni dev`")?;
            return Self::join(running.client()?, arguments, interrupts).await;
        }
        let target = arguments.target(package, interrupts).await?;
        let lock = lock(store)?;
        let manager = start_manager(store, arguments.port(), None, interrupts).await?;
        let client = Client::new(manager.url())?;
        let http = http()?;
        let (manifest, process) = match target {
            Target::Running { url } => {
                taping.needs_own_process("the connector of `--url`")?;
                tokio::select! {
                    manifest = introduce(&http, &client, &url) => (manifest?, None),
                    () = interrupts.first() => return Err(Failure::interrupted()),
                }
            }
            Target::Program(mut program) => {
                program.environment.extend(taping.variable());
                let log = store.join("connector.log");
                let (manifest, process) =
                    launch(&program, &client, &log, arguments, interrupts).await?;
                (manifest, Some(process))
            }
        };
        Ok(Self {
            own: Some((manager, lock)),
            taping,
            manifest,
            process,
            http,
            client,
        })
    }

    /// Uses the running manager and connector.
    async fn join(
        client: Client,
        arguments: &ConnectorArguments,
        interrupts: &Interrupts,
    ) -> Result<Self, Failure> {
        let patience = arguments.patience();
        let manifest = tokio::select! {
            manifest = timeout(patience, client.registration()) => manifest.map_err(|_| {
                let waited = patience.as_secs();
                Failure::not_started(format!("the connector of `cargo omni dev` did not register within {waited} s"))
                    .help("its page says why")
            })??,
            () = interrupts.first() => return Err(Failure::interrupted()),
        };
        Ok(Self {
            client,
            manifest,
            process: None,
            http: http()?,
            taping: Taping::None,
            own: None,
        })
    }

    /// Whether `cargo omni dev` runs the manager and the connector.
    pub(super) fn is_shared(&self) -> bool {
        self.own.is_none()
    }

    /// Returns the source that the command line describes, and stores its secret.
    pub(super) async fn source(
        &self,
        arguments: &SourceArguments,
        needs_credential: bool,
    ) -> Result<Described, Failure> {
        let source_type = source_type(&self.manifest, arguments.source_type.as_deref())?;
        let name = arguments.name.as_ref();
        let name = name.unwrap_or(&self.manifest.display_name);
        let description = Description {
            name: name.clone(),
            source_type: source_type.to_owned(),
            config: arguments.config()?,
            secret: arguments.secret()?,
            needs_credential,
        };
        self.client.describe(&description).await
    }

    /// Writes the tape, or names the requests that were not on it.
    pub(super) async fn finish_tape(&self) -> Result<(), Failure> {
        self.taping
            .finish(&self.http, &self.manifest.connector_url)
            .await
    }

    /// Stops like [`stop`](Self::stop), and notes for people how many warnings the connector logged.
    pub(super) async fn stop_with_warnings(mut self, interrupts: &Interrupts) {
        if let Some(process) = &mut self.process {
            process.stop(interrupts).await;
            process.note_warnings().await;
        }
        self.stop(interrupts).await;
    }

    /// Stops the connector, then the manager.
    pub(super) async fn stop(self, interrupts: &Interrupts) {
        if let Some(mut process) = self.process {
            process.stop(interrupts).await;
        }
        if let Some((manager, _lock)) = self.own {
            manager.shutdown().await;
        }
    }
}

/// Returns a source type that the connector serves: the requested one, else the first.
pub(super) fn source_type<'a>(
    manifest: &'a Manifest,
    wanted: Option<&str>,
) -> Result<&'a str, Failure> {
    let types = &manifest.source_types;
    let found = match wanted {
        None => types.first(),
        Some(wanted) => types.iter().find(|known| *known == wanted),
    };
    found.map(String::as_str).ok_or_else(|| {
        let name = &manifest.connector_id;
        match wanted {
            None => Failure::not_started(format!("connector `{name}` declares no source type")),
            Some(wanted) => Failure::usage(format!("connector `{name}` serves no `{wanted}`"))
                .help(format!("it serves `{}`", types.join("`, `"))),
        }
    })
}

/// Creates the folder of a store and locks it while the file is open. Only one command may use it at a time, because
/// its manager owns all runs in it.
pub(super) fn lock(folder: &Path) -> Result<File, Failure> {
    let failed = |error: std::io::Error| {
        Failure::failed(format!(
            "the store `{}` cannot be made: {error}",
            folder.display()
        ))
        .help("choose another folder with `--store`")
    };
    prepare(folder).map_err(failed)?;
    let file = private_file(&folder.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::failed(format!(
            "the store `{}` is used by another `cargo omni`",
            folder.display()
        ))
        .help("wait until that one has ended, or choose another folder with `--store`")),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Starts a manager on that store and port, unless people interrupt it. Without a tick it starts and resumes no runs by
/// itself.
pub(super) async fn start_manager(
    store: &Path,
    port: u16,
    tick: Option<Duration>,
    interrupts: &Interrupts,
) -> Result<Manager, Failure> {
    let options = Options {
        port,
        storage: Storage::Folder(PathBuf::from(store)),
        runs: RunLimits {
            tick,
            ..RunLimits::default()
        },
        extraction: ExtractionLimits {
            program: readers::command(),
            ..ExtractionLimits::default()
        },
        ..Options::default()
    };
    // In a task of its own: another program may keep the store busy, and opening it then blocks.
    let starting = tokio::spawn(Manager::start(options));
    let started = interrupts
        .or_end(starting)
        .await?
        .map_err(Failure::failed)?;
    started.map_err(|error| {
        let failure = Failure::failed(&error);
        match error {
            StartError::Listen { .. } => {
                failure.help("choose a free port with `--port`, or stop what listens there")
            }
            StartError::Store(StoreError::Version { .. }) | StartError::Client(_) => failure,
            StartError::Store(_) => failure.help("choose another folder with `--store`"),
        }
    })
}

/// Creates a client for connectors on this machine.
pub(super) fn http() -> Result<HttpClient, Failure> {
    let client = HttpClient::builder().no_proxy().timeout(ANSWER).build();
    Ok(client
        .map_err(|error| Failure::failed(format!("no HTTP client: {error}")))?
        .into())
}

/// Fetches the manifest of a running connector.
pub(super) async fn fetch_manifest<T: DeserializeOwned>(
    http: &HttpClient,
    url: &str,
) -> Result<T, Failure> {
    let fetch = async {
        let response = http.get(format!("{url}/manifest")).send().await?;
        response.error_for_status()?.json().await
    };
    fetch.await.map_err(|error: reqwest::Error| {
        let error = error.without_url();
        Failure::not_started(format!(
            "no connector answers at {url}: {}",
            with_cause(&error)
        ))
    })
}

/// Registers a running connector at once, instead of waiting until it registers itself.
async fn introduce(http: &HttpClient, client: &Client, url: &str) -> Result<Manifest, Failure> {
    let mut manifest: Manifest = fetch_manifest(http, url).await.map_err(|failure| {
        failure.help(format!(
            "start it with `CONNECTOR_MANAGER_URL={}` in its environment",
            client.url()
        ))
    })?;
    url.clone_into(&mut manifest.connector_url);
    client.register(&manifest).await.map_err(|failure| {
        Failure::not_started(format!(
            "the manager refuses connector `{}`: {}",
            manifest.connector_id, failure.message
        ))
    })?;
    Ok(manifest)
}

/// Starts a program and waits for its registration.
async fn launch(
    program: &Program,
    client: &Client,
    log: &Path,
    arguments: &ConnectorArguments,
    interrupts: &Interrupts,
) -> Result<(Manifest, ConnectorProcess), Failure> {
    let patience = arguments.patience();
    let mut process =
        ConnectorProcess::start(program, client.url(), log, arguments.is_verbose(), None)?;
    let what = tokio::select! {
        manifest = timeout(patience, client.registration()) => match manifest {
            Ok(manifest) => return Ok((manifest?, process)),
            Err(_) => format!("did not register within {} s", patience.as_secs()),
        },
        status = process.exited() => format!("ended with {status} before it registered"),
        () = interrupts.first() => {
            process.stop(interrupts).await;
            return Err(Failure::interrupted());
        }
    };
    process.stop(interrupts).await;
    let failure = process.failure(&what).await;
    Err(failure.help(format!(
        "all that it printed is in `{}`",
        process.log().display()
    )))
}
