//! A manager in memory, the author's own binary as a process, and one source between them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use omni_connector::{AuthType, Manifest, RunReport, SyncType};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    builder::SetupBuilder,
    documents::Documents,
    process::{Process, Program},
};
use crate::{
    manager::Manager,
    options::{CallLimits, Options, RunLimits},
    rules::{ActionAnswer, Progress},
    store::{
        people,
        runs::{Run, RunStatus},
        search::Query,
        sources::SourceRecord,
        users::UserRole,
    },
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
}

/// The end of a run.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The manager's record.
    pub progress: Progress,
    /// The connector's report; none if its process no longer knows the run.
    pub report: Option<RunReport>,
}

impl Ended {
    /// Returns whether the run is complete.
    pub fn is_completed(&self) -> bool {
        self.progress.run.status == RunStatus::Completed
    }

    /// Returns the number of items that the connector reports as failed.
    pub fn failures(&self) -> u64 {
        self.report.as_ref().map_or(0, |report| report.failed)
    }
}

impl Setup {
    /// Starts with the connector's binary: `env!("CARGO_BIN_EXE_acme")`.
    pub fn of(binary: impl Into<PathBuf>) -> SetupBuilder {
        let program = Program {
            binary: binary.into(),
            environment: vec![("RUST_LOG".into(), "info".into())],
        };
        SetupBuilder {
            program,
            config: json!({}),
            credentials: None,
            auth_type: AuthType::ApiKey,
            source_type: None,
            options: options(),
        }
    }

    /// Runs a sync that must complete, and whose events must all be applied.
    ///
    /// # Panics
    /// Panics if it does not.
    pub async fn sync(&self, mode: SyncType) -> Ended {
        let ended = self.run(mode).await;
        let run = &ended.progress.run;
        let failure = run.error_message.as_deref().unwrap_or_default();
        assert!(
            ended.is_completed(),
            "the run is {:?}: {failure}\n{}",
            run.status,
            last_lines(&self.output())
        );
        let refused = self.manager.refused_events(&run.id, 5).await;
        let refused = refused.expect("a store in memory is read");
        assert!(refused.is_empty(), "events were refused: {refused:?}");
        ended
    }

    /// Runs a sync until it ends in any state.
    ///
    /// # Panics
    /// Panics if it does not start, or does not end within a minute.
    pub async fn run(&self, mode: SyncType) -> Ended {
        self.run_within(mode, PATIENCE)
            .await
            .unwrap_or_else(|error| panic!("{error:#}\n{}", last_lines(&self.output())))
    }

    pub(super) async fn run_within(&self, mode: SyncType, patience: Duration) -> Result<Ended> {
        let (run, starts) = self.begin(mode).await?;
        self.end_of(&run, starts, patience).await
    }

    /// Starts a run, and retries if the process was killed meanwhile. Also returns how often the process had been
    /// started.
    pub(super) async fn begin(&self, mode: SyncType) -> Result<(Run, usize)> {
        let started = async {
            loop {
                let starts = self.process.starts();
                match self.manager.sync(&self.source.id, mode).await {
                    Ok(run) => return Ok((run, starts)),
                    Err(error) => {
                        // A restarted process answers after its start count has changed.
                        if self.is_healthy().await && self.process.starts() == starts {
                            bail!("the run does not start: {error}");
                        }
                        sleep(POLL_INTERVAL).await;
                    }
                }
            }
        };
        timeout(PATIENCE, started)
            .await
            .context("the run never starts")?
    }

    /// Waits for the end of a run, and resumes it when its process has lost it. `starts` identifies that process.
    pub(super) async fn end_of(
        &self,
        run: &Run,
        starts: usize,
        patience: Duration,
    ) -> Result<Ended> {
        let ends = async {
            let mut starts = starts;
            loop {
                let progress = self.manager.progress(&run.id).await?;
                let progress = progress.context("the run is gone")?;
                if !progress.run.is_running() {
                    return anyhow::Ok(progress);
                }
                if self.process.starts() != starts && self.is_healthy().await {
                    starts = self.process.starts();
                    while self.manager.resume(&progress.run).await.is_err() {
                        ensure!(!self.process.has_ended(), "the connector ended");
                        let now = self.manager.progress(&run.id).await?;
                        if now.is_none_or(|now| !now.run.is_running())
                            || self.process.starts() != starts
                        {
                            break;
                        }
                        sleep(POLL_INTERVAL).await;
                    }
                }
                sleep(POLL_INTERVAL).await;
            }
        };
        let progress = timeout(patience, ends)
            .await
            .with_context(|| format!("the run does not end within {patience:?}"))??;
        let report = self.report(&run.id).await;
        Ok(Ended { progress, report })
    }

    /// Returns the connector's report on a run; none if it does not know the run.
    async fn report(&self, run: &str) -> Option<RunReport> {
        let url = format!("{}/sync/{run}/report", self.process.url());
        let answer = client().get(url).send().await.ok()?;
        answer.error_for_status().ok()?.json().await.ok()
    }

    pub(super) async fn is_healthy(&self) -> bool {
        let url = format!("{}/health", self.process.url());
        let answer = client()
            .get(url)
            .timeout(Duration::from_secs(5))
            .send()
            .await;
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

    /// Waits until the process answers.
    pub(super) async fn answers(&self) -> Result<()> {
        let healthy = async {
            while !self.is_healthy().await {
                sleep(POLL_INTERVAL).await;
            }
        };
        timeout(PATIENCE, healthy)
            .await
            .context("the connector does not answer")
    }

    /// Returns the documents of the source.
    ///
    /// # Panics
    /// Panics if the store cannot be read.
    pub async fn documents(&self) -> Documents {
        let found = Documents::of(self.manager.store(), &self.source.id).await;
        found.expect("a store in memory is read")
    }

    /// Waits until the documents satisfy a condition.
    ///
    /// # Panics
    /// Panics if they do not within a minute. The message shows the current documents.
    pub async fn until(&self, are_right: impl Fn(&Documents) -> bool) -> Documents {
        let reached = async {
            loop {
                let found = self.documents().await;
                if are_right(&found) {
                    return found;
                }
                sleep(POLL_INTERVAL).await;
            }
        };
        if let Ok(found) = timeout(PATIENCE, reached).await {
            return found;
        }
        let found = self.documents().await;
        panic!("the documents are not as they should be:\n{found}")
    }

    /// Returns the addresses of a group's members, sorted.
    ///
    /// # Panics
    /// Panics if the store cannot be read.
    pub async fn members(&self, group: &str) -> Vec<String> {
        let (id, group) = (self.source.id.clone(), group.to_owned());
        let read = self
            .manager
            .store()
            .read(move |db| people::members_of(db, &id, &group));
        read.await.expect("a store in memory is read")
    }

    /// Searches as a person, or with `None` without restrictions. Returns the ids of the first hundred documents.
    ///
    /// # Panics
    /// Panics if the store cannot be read.
    pub async fn search(&self, text: &str, viewer: Option<&str>) -> Vec<String> {
        let query = Query {
            text: text.to_owned(),
            viewer: viewer.map(str::to_owned),
            limit: 100,
        };
        let hits = self
            .manager
            .store()
            .search(query)
            .await
            .expect("a store in memory is read");
        hits.hits.into_iter().map(|hit| hit.document_id).collect()
    }

    /// Waits until the connector has an action, such as a tool of its MCP server. The list of tools is read after a run began.
    ///
    /// # Panics
    /// It has none of that name within a minute; the message names those that it has.
    pub async fn until_action(&self, action: &str) {
        let names = async || {
            let id = &self.manifest.connector_id;
            let manifest = self.manager.registration(id, PATIENCE).await;
            let actions = manifest.map(|manifest| manifest.actions);
            let names = actions.into_iter().flatten().map(|action| action.name);
            names.collect::<Vec<_>>()
        };
        let declared = async {
            while !names().await.iter().any(|name| name == action) {
                sleep(POLL_INTERVAL).await;
            }
        };
        if timeout(PATIENCE, declared).await.is_err() {
            let names = names().await.join(", ");
            panic!("the connector has no action `{action}`; it has: {names}")
        }
    }

    /// Calls an action as the system, and gives its result.
    ///
    /// # Panics
    /// Panics if the call fails.
    pub async fn call(&self, action: &str, params: Value) -> Value {
        let answer = self.answer(action, params, None).await;
        let text = String::from_utf8_lossy(&answer.body);
        assert!(
            answer.status.is_success(),
            "{action}: {} {text}",
            answer.status
        );
        let mut body: Value = serde_json::from_str(&text).unwrap_or_else(|_| text.as_ref().into());
        match body.get_mut("result") {
            Some(result) => result.take(),
            None => body,
        }
    }

    /// Calls an action as a person, or with `None` as the system. Returns the unchanged answer.
    ///
    /// # Panics
    /// Panics if the manager refuses the call.
    pub async fn answer(&self, action: &str, params: Value, actor: Option<&str>) -> ActionAnswer {
        let actor = match actor {
            Some(email) => Some(
                self.manager
                    .user(email, UserRole::User)
                    .await
                    .expect("a user is stored")
                    .id,
            ),
            None => None,
        };
        let called = self
            .manager
            .call_action(&self.source.id, actor.as_deref(), action, params);
        called
            .await
            .unwrap_or_else(|error| panic!("{action}: {error}"))
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
    let client = omni_connector::HttpClient::builder().no_proxy().build();
    client.expect("an HTTP client without options is built")
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
