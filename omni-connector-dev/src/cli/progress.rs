//! Shows the progress of a run, and notices when the connector has lost it.

use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use omni_connector::{HttpClient, RunReport, wire::RunningResponse};
use reqwest::StatusCode;
use tokio::time::sleep;

use super::{Output, client::Client, output::printable};
use crate::rules::Progress;

/// The time between two probes of the connector.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The number of probes without a valid answer after which the run counts as lost.
const PATIENCE: u32 = 40;

/// A progress line on the terminal; none without a terminal.
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

    /// Shows the manager's progress.
    pub(super) fn show(&self, progress: &Progress) {
        self.0.set_position(progress.effects.documents());
    }

    /// Shows the connector's report.
    fn tell(&self, report: &RunReport) {
        if report.scanned > 0 {
            self.0
                .set_prefix(format!("{} scanned  ", HumanCount(report.scanned)));
        }
        self.0.set_message(message(report));
    }

    /// Shows from now on how the run is being ended.
    pub(super) fn stopping(&self, how: &'static str) {
        self.0.println(how);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Returns what the run waits for, or else the item that it works on.
fn message(report: &RunReport) -> String {
    let waiting = report.waiting_for.as_ref();
    let waiting = waiting.map(|text| format!("waiting: {text}"));
    let message = waiting.or_else(|| report.current.clone());
    printable(&message.unwrap_or_default())
}

/// Watches one run, and has the manager keep its report.
pub(super) struct Watcher<'a> {
    client: &'a Client,
    run_id: &'a str,
    http: &'a HttpClient,
    url: String,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(
        client: &'a Client,
        run_id: &'a str,
        http: &'a HttpClient,
        connector_url: &str,
    ) -> Self {
        Self {
            client,
            run_id,
            http,
            url: format!("{connector_url}/sync/{run_id}"),
        }
    }

    /// Shows the current report.
    pub(super) async fn look(&self, bar: &Bar) {
        if let Ok(Some(report)) = self.client.keep(self.run_id).await {
            bar.tell(&report);
        }
    }

    /// Shows reports forever.
    pub(super) async fn watch(&self, bar: &Bar) {
        loop {
            self.look(bar).await;
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Shows reports until the connector has lost the run.
    pub(super) async fn watch_until_lost(&self, bar: &Bar) {
        let mut patience = PATIENCE;
        while patience > 0 {
            sleep(POLL_INTERVAL).await;
            self.look(bar).await;
            patience = match self.is_running().await {
                Some(true) => PATIENCE,
                // Either its end is on the way to the manager, or it is lost.
                Some(false) => patience.saturating_sub(4),
                None => patience - 1,
            };
        }
    }

    /// Returns none without a valid answer. A connector that is too old for the route counts as running.
    async fn is_running(&self) -> Option<bool> {
        let response = self.http.get(&self.url).send().await.ok()?;
        if response.status() == StatusCode::NOT_FOUND {
            return Some(true);
        }
        let answer: RunningResponse = response.error_for_status().ok()?.json().await.ok()?;
        Some(answer.running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_item_that_a_run_works_on_does_not_steer_the_terminal() {
        let mut report = RunReport::default();
        report.current = Some("\u{1b}[2Jfile\n".to_owned());
        assert_eq!(message(&report), " [2Jfile ");
        report.waiting_for = Some("\u{9b}2J the quota".to_owned());
        assert_eq!(message(&report), "waiting:  2J the quota");
    }
}
