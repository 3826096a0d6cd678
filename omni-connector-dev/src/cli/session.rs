//! A manager and a connector that know each other, for as long as one command takes.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use omni_connector::{AuthType, Manifest, SearchOperator, SourceType, outgoing::HttpClient};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    connector_process::ConnectorProcess,
    failure::Failure,
    interrupts::Interrupts,
    settings::{Secret, SourceArguments},
    target::{ConnectorArguments, Program, Target},
};
use crate::{
    manager::{Manager, StartError},
    options::{Options, RunLimits, Storage},
    store::{StoreError, credentials, operators, sources::SourceRecord},
};

/// How long the connector's own routes may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

/// Stop it with [`stop`](Self::stop).
pub(super) struct Session {
    pub manager: Manager,
    pub manifest: Manifest,
    /// None for a connector that ran before.
    pub process: Option<ConnectorProcess>,
    pub http: HttpClient,
    /// Operators of connectors that this store knows from before.
    operators: Vec<SearchOperator>,
    _lock: File,
}

impl Session {
    /// Builds and starts what `arguments` name, and waits for the registration.
    pub(super) async fn start(
        arguments: &ConnectorArguments,
        package: Option<&str>,
        store: &Path,
        interrupts: &Interrupts,
    ) -> Result<Self, Failure> {
        let target = arguments.target(package, interrupts).await?;
        let lock = lock(store)?;
        let manager = start_manager(store, arguments.port(), None).await?;
        let operators = manager.store().read(operators::all).await?;
        let http = http()?;
        let (manifest, process) = match target {
            Target::Running { url } => (introduce(&http, &manager, &url).await?, None),
            Target::Program(program) => {
                let patience = arguments.patience();
                let log = store.join("connector.log");
                let (manifest, process) =
                    launch(&program, &manager, &log, patience, interrupts).await?;
                (manifest, Some(process))
            }
        };
        Ok(Self {
            manager,
            manifest,
            process,
            http,
            operators,
            _lock: lock,
        })
    }

    /// The source that the command line describes, with its secret stored.
    pub(super) async fn source(
        &self,
        arguments: &SourceArguments,
    ) -> Result<SourceRecord, Failure> {
        let (config, secret) = (arguments.config()?, arguments.secret()?);
        let source_type = self.source_type(arguments.source_type.as_deref())?;
        let name = arguments
            .name
            .as_ref()
            .unwrap_or(&self.manifest.display_name);
        let source = self.manager.source(name, source_type, config).await?;
        if let Some(secret) = secret {
            self.put_secret(&source, secret).await?;
        }
        Ok(source)
    }

    /// Makes sure that the source has a credential of the organisation, be it empty: actions need one (`protocol.md` §6.2).
    pub(super) async fn ensure_credential(&self, source: &SourceRecord) -> Result<(), Failure> {
        let id = source.id.clone();
        let known = self
            .manager
            .store()
            .read(move |db| credentials::find(db, &id, None));
        if known.await?.is_none() {
            let nothing = Secret {
                provider: None,
                auth_type: AuthType::ApiKey,
                credentials: Value::Object(Map::new()),
            };
            self.put_secret(source, nothing).await?;
        }
        Ok(())
    }

    async fn put_secret(&self, source: &SourceRecord, secret: Secret) -> Result<(), StoreError> {
        let oauth = self.manifest.oauth.as_ref();
        let provider = secret
            .provider
            .as_deref()
            .or_else(|| oauth?.get("provider")?.as_str())
            .unwrap_or_else(|| provider(&source.source_type));
        self.manager
            .put_credential(
                &source.id,
                None,
                provider,
                secret.auth_type,
                secret.credentials,
            )
            .await?;
        Ok(())
    }

    fn source_type(&self, wanted: Option<&str>) -> Result<&str, Failure> {
        let types = &self.manifest.source_types;
        let found = match wanted {
            None => types.first(),
            Some(wanted) => types.iter().find(|known| *known == wanted),
        };
        found.map(String::as_str).ok_or_else(|| {
            let name = &self.manifest.connector_id;
            match wanted {
                None => Failure::not_started(format!("connector `{name}` declares no source type")),
                Some(wanted) => Failure::usage(format!("connector `{name}` serves no `{wanted}`"))
                    .help(format!("it serves `{}`", types.join("`, `"))),
            }
        })
    }

    /// Ends the connector, then the manager. What earlier connectors brought stays searchable by their operators.
    pub(super) async fn stop(self, interrupts: &Interrupts) -> Result<(), Failure> {
        let Self {
            manager,
            process,
            operators: earlier,
            ..
        } = self;
        if let Some(mut process) = process {
            process.stop(interrupts).await;
        }
        let kept = manager.store().write(move |db| {
            let mut all = operators::all(db)?;
            let earlier = earlier
                .into_iter()
                .filter(|operator| !all.contains(operator));
            let earlier: Vec<_> = earlier.collect();
            all.extend(earlier);
            operators::replace(db, &all)
        });
        let kept = kept.await;
        manager.shutdown().await;
        Ok(kept?)
    }
}

/// Makes the folder of a store and locks it for as long as the file is open: it belongs to one command at a time, the
/// manager of all runs in it. Git does not see it, since it holds secrets.
pub(super) fn lock(folder: &Path) -> Result<File, Failure> {
    let failed = |error: std::io::Error| {
        Failure::failed(format!(
            "the store `{}` cannot be made: {error}",
            folder.display()
        ))
    };
    fs::create_dir_all(folder).map_err(failed)?;
    fs::write(folder.join(".gitignore"), "*\n").map_err(failed)?;
    let file = File::create(folder.join("lock")).map_err(failed)?;
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

/// A manager on that store and port. Without a tick it starts and resumes nothing by itself.
pub(super) async fn start_manager(
    store: &Path,
    port: u16,
    tick: Option<Duration>,
) -> Result<Manager, Failure> {
    let options = Options {
        port,
        storage: Storage::Folder(PathBuf::from(store)),
        runs: RunLimits {
            tick,
            ..RunLimits::default()
        },
        ..Options::default()
    };
    Manager::start(options).await.map_err(|error| {
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

/// A client for connectors on this machine.
pub(super) fn http() -> Result<HttpClient, Failure> {
    let client = HttpClient::builder().no_proxy().timeout(ANSWER).build();
    Ok(client
        .map_err(|error| Failure::failed(format!("no HTTP client: {error}")))?
        .into())
}

/// The manifest of a connector that runs.
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

/// Registers a connector that runs already, so that nobody has to wait until it does so by itself.
async fn introduce(http: &HttpClient, manager: &Manager, url: &str) -> Result<Manifest, Failure> {
    let mut manifest: Manifest = fetch_manifest(http, url).await.map_err(|failure| {
        failure.help(format!(
            "start it with `CONNECTOR_MANAGER_URL={}` in its environment",
            manager.url()
        ))
    })?;
    url.clone_into(&mut manifest.connector_url);
    let refused = |reason: String| {
        Failure::not_started(format!(
            "the manager refuses connector `{}`: {reason}",
            manifest.connector_id
        ))
    };
    let register = http
        .post(format!("{}/sdk/register", manager.url()))
        .json(&manifest);
    let answer = register
        .send()
        .await
        .map_err(|error| refused(with_cause(&error)))?;
    if !answer.status().is_success() {
        return Err(refused(answer.text().await.unwrap_or_default()));
    }
    Ok(manifest)
}

/// Starts a program and waits until it has registered.
async fn launch(
    program: &Program,
    manager: &Manager,
    log: &Path,
    patience: Duration,
    interrupts: &Interrupts,
) -> Result<(Manifest, ConnectorProcess), Failure> {
    let mut process = ConnectorProcess::start(program, &manager.url(), log)?;
    let what = tokio::select! {
        manifest = manager.any_registration(patience) => match manifest {
            Some(manifest) => return Ok((manifest, process)),
            None => format!("did not register within {} s", patience.as_secs()),
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

/// Whose credential a source of that type needs, in the list of `protocol.md` §4.9.
fn provider(source_type: &str) -> &str {
    use SourceType::{
        Confluence, Gmail, GoogleChat, GoogleDrive, Jira, MsTeams, OneDrive, Outlook,
        OutlookCalendar, SharePoint,
    };

    match source_type.parse::<SourceType>() {
        Ok(GoogleDrive | Gmail | GoogleChat) => "google",
        Ok(Confluence | Jira) => "atlassian",
        Ok(OneDrive | SharePoint | Outlook | OutlookCalendar | MsTeams) => "microsoft",
        _ => source_type,
    }
}

/// An error and the innermost reason for it, which says most.
pub(super) fn with_cause(error: &dyn std::error::Error) -> String {
    let innermost = std::iter::successors(error.source(), |error| error.source()).last();
    innermost.map_or_else(|| error.to_string(), ToString::to_string)
}
