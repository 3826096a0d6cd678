//! A manager in memory, the author's own binary as a process, and one source between them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use omni_connector::{AuthType, Manifest};
use serde_json::json;

use super::{
    builder::SetupBuilder,
    process::{Process, Program},
    recording::Recording,
    waiting::reached,
};
use crate::{
    manager::Manager,
    options::{CallLimits, Options, RunLimits},
    store::sources::SourceRecord,
};

/// The longest time for one step of a test, on any machine.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
/// The time between two polls.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Returns options of a manager for tests: no scheduler, no pauses, no limit on resumes.
pub fn options() -> Options {
    Options {
        calls: CallLimits {
            sync_retries: Vec::new(),
            jitter: Duration::ZERO,
            ..CallLimits::default()
        },
        runs: RunLimits {
            tick: None,
            resumes: 1_000,
            concurrent: 1_000,
            concurrent_per_class: 1_000,
            ..RunLimits::default()
        },
        ..Options::default()
    }
}

/// A manager in memory, a connector's process and a source. Dropping the setup ends all of it.
///
/// Its methods panic on any failure, with the cause and the connector's output.
#[derive(Debug)]
pub struct Setup {
    /// The manager, for functions that this type does not offer.
    pub manager: Manager,
    /// The source that is synced.
    pub source: SourceRecord,
    /// The registered manifest.
    pub manifest: Manifest,
    pub(super) process: Arc<Process>,
    pub(super) recording: Option<Recording>,
    pub(super) http: reqwest::Client,
}

impl Setup {
    /// Starts with the connector's binary: `env!("CARGO_BIN_EXE_acme")`.
    pub fn of(binary: impl Into<PathBuf>) -> SetupBuilder {
        let program = Program {
            binary: binary.into(),
            wrapper: Vec::new(),
            environment: vec![("RUST_LOG".into(), "info".into())],
        };
        SetupBuilder {
            program,
            config: json!({}),
            credentials: None,
            auth_type: AuthType::ApiKey,
            source_type: None,
            options: options(),
            is_recorded: false,
        }
    }

    pub(super) async fn is_healthy(&self) -> bool {
        let call = self.http.get(format!("{}/health", self.url()));
        let answer = call.timeout(Duration::from_secs(5)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Kills and restarts the process.
    ///
    /// # Panics
    /// Panics if it does not start.
    pub async fn kill_and_restart(&self) {
        self.process.restart().expect("the connector starts again");
        let answers = self.answers().await;
        answers.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Returns the connector's process, for a test that kills it from elsewhere, such as from its own server.
    ///
    /// ```no_run
    /// # fn example(setup: omni_connector_dev::testing::Setup) {
    /// let process = setup.process();
    /// let at_the_third_request = move || {
    ///     process.kill();
    ///     process.restart().unwrap();
    /// };
    /// # drop(at_the_third_request);
    /// # }
    /// ```
    pub fn process(&self) -> Arc<Process> {
        Arc::clone(&self.process)
    }

    /// Waits until the process answers.
    pub(super) async fn answers(&self) -> Result<()> {
        let look = async || self.is_healthy().await.then_some(());
        let answered = reached(PATIENCE, look).await;
        answered.context("the connector does not answer")
    }

    /// Returns all output of the connector.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Returns the connector's URL, without a trailing slash.
    pub fn url(&self) -> String {
        self.process.url()
    }
}

pub(super) fn client() -> reqwest::Client {
    // Both sides of a setup listen on loopback, without TLS. To read the system's certificates takes milliseconds.
    let client = omni_connector::HttpClient::builder()
        .no_proxy()
        .tls_certs_only([]);
    client
        .build()
        .expect("an HTTP client without certificates is built")
}

/// Returns the last lines of a long output.
pub(super) fn last_lines(output: &str) -> String {
    let lines: Vec<_> = output.lines().collect();
    let shown = lines[lines.len().saturating_sub(12)..].join("\n  | ");
    if shown.is_empty() {
        "the connector printed nothing".to_owned()
    } else {
        format!("the connector's last lines:\n  | {shown}")
    }
}
