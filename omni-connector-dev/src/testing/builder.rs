//! The parts of a setup, and how it starts.

use std::{ffi::OsString, sync::Arc};

use anyhow::{Context, Result, bail};
use omni_connector::AuthType;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    process::{Process, Program},
    recording::Recording,
    setup::{PATIENCE, POLL_INTERVAL, Setup, client, last_lines},
};
use crate::{manager::Manager, options::Options};

/// The parts of a [`Setup`]. From [`Setup::of`].
#[must_use = "`start` starts it"]
#[derive(Debug, Clone)]
pub struct SetupBuilder {
    pub(super) program: Program,
    pub(super) config: Value,
    pub(super) credentials: Option<Value>,
    pub(super) auth_type: AuthType,
    pub(super) source_type: Option<String>,
    pub(super) options: Options,
    pub(super) is_recorded: bool,
}

impl SetupBuilder {
    /// Sets the source's config.
    pub fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// Sets the source's credentials in the form that the connector decodes.
    pub fn credentials(mut self, credentials: Value) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Sets the form of the credentials; the default is an API key.
    pub fn auth_type(mut self, auth_type: AuthType) -> Self {
        self.auth_type = auth_type;
        self
    }

    /// Sets the type of the source; the default is the first one that the connector declares.
    pub fn source_type(mut self, source_type: impl Into<String>) -> Self {
        self.source_type = Some(source_type.into());
        self
    }

    /// Sets an environment variable of the process.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.program.environment.push((name.into(), value.into()));
        self
    }

    /// Starts the binary through another program, which gets these arguments and then the path of the binary.
    ///
    /// ```no_run
    /// # use omni_connector_dev::testing::Setup;
    /// # async fn example() {
    /// let as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    /// let setup = Setup::of("target/debug/acme").through(as_nobody).start().await;
    /// # drop(setup);
    /// # }
    /// ```
    pub fn through(mut self, command: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.program.wrapper = command.into_iter().map(Into::into).collect();
        self
    }

    /// Keeps the events of every run, for [`Setup::events`].
    pub fn recorded(mut self) -> Self {
        self.is_recorded = true;
        self
    }

    /// Sets the manager's options; the default is [`options`](super::options).
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Starts the manager and the process, waits for the registration, and creates the source.
    ///
    /// # Panics
    /// Panics if the process does not start or register.
    pub async fn start(self) -> Setup {
        let manager = Manager::start(self.options.clone()).await;
        let manager = manager.expect("a manager in memory starts");
        let url = manager.url();
        let setup = self.start_with(manager, &url).await;
        setup.unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Starts with a manager at another URL, such as that of a proxy.
    pub(super) async fn start_with(self, manager: Manager, manager_url: &str) -> Result<Setup> {
        let recording = if self.is_recorded {
            Some(Recording::start(manager_url).await?)
        } else {
            None
        };
        let recording_url = recording.as_ref().map(Recording::url);
        let manager_url = recording_url.as_deref().unwrap_or(manager_url);
        let process = Process::start(self.program, manager_url)?;
        let registered = async {
            loop {
                if let Some(manifest) = manager.any_registration(POLL_INTERVAL * 5).await {
                    return Ok(manifest);
                }
                if process.has_ended() {
                    // Waits for the rest of its output.
                    sleep(POLL_INTERVAL * 5).await;
                    bail!("the connector ended\n{}", last_lines(&process.output()));
                }
            }
        };
        let manifest = match timeout(PATIENCE, registered).await {
            Ok(manifest) => manifest?,
            Err(_) => bail!(
                "the connector did not register within {PATIENCE:?}\n{}",
                last_lines(&process.output())
            ),
        };
        let source_type = match self.source_type {
            Some(source_type) => source_type,
            None => manifest
                .source_types
                .first()
                .cloned()
                .context("the connector has no source type")?,
        };
        let source = manager.source("test", &source_type, self.config).await?;
        // Actions need a credential row even if the connector needs no credential.
        let secret = self.credentials.unwrap_or_else(|| json!({}));
        manager
            .put_credential(&source.id, None, &source_type, self.auth_type, secret)
            .await?;
        Ok(Setup {
            manager,
            source,
            manifest,
            process: Arc::new(process),
            recording,
            http: client(),
        })
    }
}
