//! Tries one failed item again: the run is repeated from where it began, only this item's document is taken, and no checkpoint is
//! published.

use omni_connector::SyncType;
use rusqlite::Connection;
use serde::Serialize;

use super::Refusal;
use crate::{
    runs as running,
    shared::Shared,
    store::{
        StoreError,
        bounds::{self, Bound},
        documents, history, reports, run_documents,
        runs::{self, Run},
    },
};

/// A run that tries one item again.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Trial {
    pub(crate) item: String,
    /// The run in which it failed.
    pub(crate) tried_run: Option<String>,
    /// Whether the connector fetched the item by itself, with its `#[refetch]`.
    pub(crate) is_refetch: bool,
    /// The tape that answered in place of the source.
    pub(crate) tape: Option<String>,
    pub(crate) before: Outcome,
    pub(crate) now: Outcome,
}

/// The outcome of one item in a run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub(crate) enum Outcome {
    /// Its document arrived.
    Sent {
        document: Option<String>,
    },
    /// Its document was deleted.
    Deleted,
    Failed {
        stage: String,
        cause: String,
    },
    Skipped {
        reason: String,
    },
    /// The run goes on.
    Awaited,
    /// The run has ended, and said nothing of it.
    Unknown,
}

/// Starts the run that tries an item of another run again.
pub(crate) async fn try_again(
    shared: &Shared,
    source_id: &str,
    run_id: &str,
    item: &str,
) -> Result<Run, Refusal> {
    let (id, wanted) = (run_id.to_owned(), item.to_owned());
    let read = move |db: &Connection| {
        let Some(run) = runs::find(db, &id)? else {
            return Ok::<_, StoreError>(None);
        };
        let before = history::before(db, &id)?;
        let report = reports::find(db, &id)?;
        let has_failed = report
            .is_some_and(|report| report.failures.iter().any(|failure| failure.item == wanted));
        Ok(Some((run, before, has_failed)))
    };
    let found = shared.store.read(read).await?;
    let found = found.filter(|(run, ..)| run.source_id == source_id);
    let Some((run, before, has_failed)) = found else {
        return Err(Refusal::NotFound(format!(
            "the source has no run `{run_id}`"
        )));
    };
    if run.is_running() {
        let text = "the run goes on\nhelp: wait for its end, or stop it";
        return Err(Refusal::Conflict(text.to_owned()));
    }
    if !has_failed {
        return Err(Refusal::NotFound(format!(
            "`{item}` is not among the named failures of this run"
        )));
    }
    let from = before.filter(|_| run.sync_type == SyncType::Incremental);
    // A full run needs no checkpoint to meet the item again.
    let mode = match from {
        Some(_) => SyncType::Incremental,
        None => SyncType::Full,
    };
    let bound = Bound {
        item: Some(item.to_owned()),
        tried_run: Some(run.id),
        tape: shared.workbench.bench().replays,
        ..Bound::default()
    };
    Ok(running::trial(shared, source_id, mode, bound, from).await?)
}

/// Returns what is different now, if the run tries an item again.
pub(crate) fn trial(db: &Connection, run: &Run) -> Result<Option<Trial>, StoreError> {
    let Some(Bound {
        item: Some(item),
        tried_run,
        tape,
        ..
    }) = bounds::find(db, &run.id)?
    else {
        return Ok(None);
    };
    let before = match &tried_run {
        Some(tried) => outcome(db, &run.source_id, tried, &item)?,
        None => None,
    };
    let now = outcome(db, &run.source_id, &run.id, &item)?;
    let is_refetch = reports::find(db, &run.id)?.is_some_and(|report| report.is_refetch);
    Ok(Some(Trial {
        before: before.unwrap_or(Outcome::Unknown),
        now: now.unwrap_or(if run.is_running() {
            Outcome::Awaited
        } else {
            Outcome::Unknown
        }),
        item,
        tried_run,
        is_refetch,
        tape,
    }))
}

fn outcome(
    db: &Connection,
    source_id: &str,
    run_id: &str,
    item: &str,
) -> Result<Option<Outcome>, StoreError> {
    // A document that arrived counts more than a failure of one of its parts.
    let part = run_documents::part(db, run_id, item)?;
    if part.as_deref() == Some("sent") {
        let stored = documents::find(db, source_id, item)?;
        let document = stored.map(|stored| stored.id);
        return Ok(Some(Outcome::Sent { document }));
    }
    if let Some(report) = reports::find(db, run_id)? {
        if let Some(failure) = report.failures.iter().find(|one| one.item == item) {
            let stage = serde_json::to_value(failure.stage).unwrap_or_default();
            return Ok(Some(Outcome::Failed {
                stage: stage.as_str().unwrap_or_default().to_owned(),
                cause: failure.cause.clone(),
            }));
        }
        if let Some(skip) = report.skips.iter().find(|one| one.item == item) {
            let reason = skip.reason.clone();
            return Ok(Some(Outcome::Skipped { reason }));
        }
    }
    Ok(part.map(|_| Outcome::Deleted))
}
