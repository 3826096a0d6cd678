//! A connector's reports on its run (`protocol.md` §3.6). Must never change an ended or unknown
//! run, nor fail because of one.

use rusqlite::Transaction;
use serde_json::Value;

use super::{
    Refusal,
    refusal::{NUL_IN_JSON, NUL_IN_TEXT, holds_nul},
};
use crate::{
    shared::Shared,
    store::{StoreError, bounds, runs, sources},
    workbench::Fact,
};

/// One report.
#[derive(Debug)]
pub(crate) enum Report {
    /// The run is alive.
    Heartbeat,
    /// Number of further documents scanned.
    Scanned(i32),
    /// Number of further documents updated.
    Updated(i32),
    /// The position from which the run can resume.
    Checkpoint(Value),
    /// The run is complete.
    Complete,
    /// The run failed.
    Fail(String),
    /// The run is cancelled.
    Cancel,
}

impl Report {
    /// Returns the start of the message when the report cannot be stored.
    const fn failure(&self) -> &'static str {
        match self {
            Self::Heartbeat => "Failed to update heartbeat",
            Self::Scanned(_) => "Failed to increment scanned",
            Self::Updated(_) => "Failed to increment updated",
            Self::Checkpoint(_) => "Failed to update checkpoint",
            Self::Complete => "Failed to mark completed",
            Self::Fail(_) => "Failed to mark failed",
            Self::Cancel => "Failed to cancel sync",
        }
    }

    fn apply(&self, db: &Transaction<'_>, run: &str) -> Result<(), StoreError> {
        match self {
            Self::Heartbeat => runs::touch(db, run),
            Self::Scanned(count) => runs::add_scanned(db, run, *count),
            Self::Updated(count) => runs::add_updated(db, run, *count),
            Self::Checkpoint(checkpoint) => runs::save_checkpoint(db, run, checkpoint),
            Self::Complete => match bounds::find(db, run)?.filter(|bound| !bound.may_complete()) {
                // Something was left out, so the checkpoint must not be published.
                Some(bound) => runs::cancel(db, run, &bound.message()).map(drop),
                None => runs::complete(db, run).map(drop),
            },
            Self::Fail(error) => runs::fail(db, run, error).map(drop),
            Self::Cancel => runs::cancel(db, run, "Cancelled by user").map(drop),
        }
    }
}

/// Processes a report of a run.
pub(crate) async fn report(shared: &Shared, run: String, report: Report) -> Result<(), Refusal> {
    let failure = report.failure();
    match &report {
        Report::Checkpoint(checkpoint) => refuse_nul(checkpoint, failure)?,
        Report::Fail(error) if error.contains('\0') => {
            let text = format!("{failure}: Connection error: {NUL_IN_TEXT}");
            return Err(Refusal::Internal(text));
        }
        _ => {}
    }
    let is_checkpoint = matches!(report, Report::Checkpoint(_));
    let plan = shared.workbench.bench().kill.filter(|_| is_checkpoint);
    let id = run.clone();
    let stored = shared.store.write(move |db| report.apply(db, &run)).await;
    if let (Some(plan), Ok(())) = (plan, &stored) {
        let found = shared.store.read(move |db| runs::find(db, &id)).await;
        let is_of_source =
            found.is_ok_and(|run| run.is_some_and(|run| run.source_id == plan.source_id));
        if is_of_source
            && shared
                .workbench
                .kill_if_due(&plan.source_id, Fact::Checkpoint)
        {
            // The process dies without the answer.
            shared.workbench.stopped_serving().await;
        }
    }
    stored.map_err(|error: StoreError| {
        // The only constraint that a report can violate is the width of a counter.
        Refusal::Internal(if error.is_conflict() {
            format!(
                "{failure}: Connection error: error returned from database: integer out of range"
            )
        } else {
            format!("{failure}: {error}")
        })
    })
}

/// Saves the connector's state of a source. Ignores an unknown source.
pub(crate) async fn save_connector_state(
    shared: &Shared,
    source: String,
    state: Value,
) -> Result<(), Refusal> {
    refuse_nul(&state, "Failed to update connector state")?;
    let stored = shared
        .store
        .write(move |db| sources::put_connector_state(db, &source, &state));
    Ok(stored.await?)
}

/// Refuses U+0000 in free JSON, as Omni's database does.
fn refuse_nul(value: &Value, failure: &str) -> Result<(), Refusal> {
    if holds_nul(value) {
        let text = format!("{failure}: Connection error: {NUL_IN_JSON}");
        return Err(Refusal::Internal(text));
    }
    Ok(())
}
