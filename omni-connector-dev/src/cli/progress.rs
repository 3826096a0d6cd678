//! What is shown while a run goes on, and whether the connector still works on it.

use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use omni_connector::{RunReport, contract::wire::RunningResponse, outgoing::HttpClient};
use reqwest::StatusCode;
use tokio::time::sleep;

use super::Output;
use crate::Progress;

/// Time between two questions to the connector.
const GLANCE: Duration = Duration::from_millis(250);
/// A connector that gives no sensible answer for so many glances has lost the run.
const PATIENCE: u32 = 40;

/// One line on the terminal; nothing where there is none.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(output: Output) -> Self {
        let target = if output.is_json() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template(
            "{spinner} {human_pos} documents  {per_sec}  {elapsed}  {prefix}{wide_msg:.dim}",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// What the manager knows.
    pub(super) fn show(&self, Progress { effects, .. }: &Progress) {
        self.0
            .set_position(effects.created + effects.updated + effects.unchanged);
    }

    /// What the connector says of itself.
    fn tell(&self, report: &RunReport) {
        if report.scanned > 0 {
            self.0
                .set_prefix(format!("{} scanned  ", HumanCount(report.scanned)));
        }
        self.0
            .set_message(report.current.clone().unwrap_or_default());
    }

    /// Says what is going on from now on.
    pub(super) fn say(&self, text: &'static str) {
        self.0.set_message(text);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Asks a connector about one run.
pub(super) struct Watcher<'a> {
    pub http: &'a HttpClient,
    pub connector_url: &'a str,
    pub run_id: &'a str,
}

impl Watcher<'_> {
    /// The connector's report; none from one that gives none, such as one of another SDK.
    pub(super) async fn report(&self) -> Option<RunReport> {
        let url = format!("{}/sync/{}/report", self.connector_url, self.run_id);
        let response = self.http.get(url).send().await.ok()?;
        response.error_for_status().ok()?.json().await.ok()
    }

    /// Shows reports until the connector has lost the run.
    pub(super) async fn watch(&self, bar: &Bar) -> &'static str {
        let mut silent = 0;
        loop {
            sleep(GLANCE).await;
            if let Some(report) = self.report().await {
                bar.tell(&report);
            }
            match self.is_running().await {
                // The end is on its way to the manager, or will never come.
                Some(false) => silent += 4,
                None => silent += 1,
                Some(true) => silent = 0,
            }
            if silent >= PATIENCE {
                return "the connector does not work on the run any more and has not said how it ended";
            }
        }
    }

    /// None when there is no sensible answer. A connector too old to know the route counts as working.
    async fn is_running(&self) -> Option<bool> {
        let url = format!("{}/sync/{}", self.connector_url, self.run_id);
        let response = self.http.get(url).send().await.ok()?;
        if response.status() == StatusCode::NOT_FOUND {
            return Some(true);
        }
        let answer: RunningResponse = response.error_for_status().ok()?.json().await.ok()?;
        Some(answer.running)
    }
}
