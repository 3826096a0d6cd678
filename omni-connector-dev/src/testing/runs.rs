//! Runs of a setup: from the start to the end in any state, with the connector's report.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use omni_connector::{RunReport, SyncType};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{
    setup::{PATIENCE, POLL_INTERVAL, Setup, last_lines},
    waiting::reached,
};
use crate::{
    rules::Progress,
    store::runs::{Run, RunStatus},
};

/// How long a killed process may take to be started again.
const RESTART: Duration = Duration::from_secs(5);

/// The end of a run.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The manager's record.
    pub progress: Progress,
    /// The connector's report; none if its process no longer knows the run.
    pub(super) report: Option<RunReport>,
}

impl Ended {
    /// Returns whether the run is complete.
    pub fn is_completed(&self) -> bool {
        self.progress.run.status == RunStatus::Completed
    }

    /// Returns the manager's message about a run that failed.
    pub fn message(&self) -> Option<&str> {
        self.progress.run.error_message.as_deref()
    }

    /// Returns the connector's report: what it read, skipped, sent and could not read.
    ///
    /// # Panics
    /// Panics if the process that ended the run no longer knows it, since it was restarted.
    pub fn report(&self) -> &RunReport {
        let report = self.report.as_ref();
        report.expect("the process that knew the run was restarted, so there is no report")
    }

    /// Returns the number of items that the connector reports as failed.
    pub fn failures(&self) -> u64 {
        self.report.as_ref().map_or(0, |report| report.failed)
    }
}

impl Setup {
    /// Runs a sync that must complete, and whose events must all be applied.
    ///
    /// # Panics
    /// Panics if it does not.
    pub async fn sync(&self, mode: SyncType) -> Ended {
        let ended = self.run(mode).await;
        let run = &ended.progress.run;
        let failure = ended.message().unwrap_or_default();
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

    /// Runs a sync that must fail, and returns its message.
    ///
    /// # Panics
    /// Panics if it ends in another state.
    pub async fn fails(&self, mode: SyncType) -> String {
        let ended = self.run(mode).await;
        let run = &ended.progress.run;
        assert_eq!(run.status, RunStatus::Failed, "the run: {run:?}");
        ended.message().unwrap_or_default().to_owned()
    }

    /// Requests a run that the connector must refuse before it begins, and returns the refusal.
    ///
    /// # Panics
    /// Panics if the run begins.
    pub async fn refusal(&self, mode: SyncType) -> String {
        match self.manager.sync(&self.source.id, mode).await {
            Ok(run) => panic!("the run {} begins", run.id),
            Err(refusal) => refusal.to_string(),
        }
    }

    /// Runs a sync until it ends in any state.
    ///
    /// # Panics
    /// Panics if it does not start, or does not end within a minute.
    pub async fn run(&self, mode: SyncType) -> Ended {
        let ended = self.run_within(mode, PATIENCE).await;
        ended.unwrap_or_else(|error| self.fall(&error))
    }

    /// Starts a run and does not wait for its end, such as a realtime run, which has none.
    ///
    /// ```no_run
    /// # async fn example(setup: omni_connector_dev::testing::Setup) {
    /// use omni_connector_dev::testing::SyncType;
    ///
    /// let run = setup.begin(SyncType::Realtime).await;
    /// setup.until(|documents| documents.get("OPS-7").is_some()).await;
    /// setup.manager.cancel(&run.id).await.unwrap();
    /// assert!(!setup.wait(&run).await.is_completed());
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics if it does not start within a minute.
    pub async fn begin(&self, mode: SyncType) -> Run {
        let begun = self.started(mode).await;
        begun.unwrap_or_else(|error| self.fall(&error)).0
    }

    /// Waits for the end of a run. Resumes it if the process was restarted since it began.
    ///
    /// # Panics
    /// Panics if it does not end within a minute.
    pub async fn wait(&self, run: &Run) -> Ended {
        // A run that the current process does not work on was begun by an earlier one.
        let starts = if self.is_working_on(&run.id).await {
            self.process.starts()
        } else {
            self.process.starts().wrapping_sub(1)
        };
        let ended = self.end_of(run, starts, PATIENCE).await;
        ended.unwrap_or_else(|error| self.fall(&error))
    }

    /// Returns the connector's report on a run, also on one that has not ended; none if its process does not know it.
    pub async fn report(&self, run: &str) -> Option<RunReport> {
        let report = self.asked(&format!("/sync/{run}/report")).await?;
        serde_json::from_value(report).ok()
    }

    async fn is_working_on(&self, run: &str) -> bool {
        let probe = self.asked(&format!("/sync/{run}")).await;
        probe.is_some_and(|probe| probe["running"] == true)
    }

    /// Returns the process's answer to a `GET`; none if it is no success.
    async fn asked(&self, path: &str) -> Option<Value> {
        let answer = self.http.get(format!("{}{path}", self.url())).send();
        let answer = answer.await.ok()?.error_for_status().ok()?;
        answer.json().await.ok()
    }

    fn fall(&self, error: &anyhow::Error) -> ! {
        panic!("{error:#}\n{}", last_lines(&self.output()))
    }

    pub(super) async fn run_within(&self, mode: SyncType, patience: Duration) -> Result<Ended> {
        let (run, starts) = self.started(mode).await?;
        self.end_of(&run, starts, patience).await
    }

    /// Starts a run, and retries if the process was killed meanwhile. Also returns how often the process had been
    /// started.
    pub(super) async fn started(&self, mode: SyncType) -> Result<(Run, usize)> {
        let started = async {
            loop {
                let starts = self.process.starts();
                // A process that has just been started may not listen yet.
                let was_healthy = self.is_healthy().await;
                match self.manager.sync(&self.source.id, mode).await {
                    Ok(run) => return Ok((run, starts)),
                    Err(error) => {
                        let is_healthy = self.is_healthy().await;
                        // A restarted process answers after its start count has changed, so the count is read last.
                        let is_same = self.process.starts() == starts;
                        if was_healthy && is_healthy && is_same {
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
                        // A process that is killed again is gone until it is started again.
                        let runs = async || (!self.process.has_ended()).then_some(());
                        let is_back = reached(RESTART, runs).await.is_some();
                        ensure!(is_back, "the connector ended");
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
}
