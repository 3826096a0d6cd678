//! Stores connectors' reports on their runs while the page is open. Otherwise a report would be lost with the
//! connector's process.

use std::{collections::HashSet, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
};
use omni_connector::{RunReport, RunRequests};
use reqwest::Method;
use rusqlite::Transaction;
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::sleep;

use super::{Page, Sessions};
use crate::{
    lookup,
    rules::Refusal,
    shared::Shared,
    store::{StoreError, reports, requests, runs, sources},
    workbench::Phase,
};

/// The time between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(700);
/// The number of latest runs that are polled.
const LATEST: usize = 20;
/// How long after the end of a run its connector is asked for the report.
const REMEMBERED: time::Duration = time::Duration::minutes(2);
/// The largest answer of a connector that is kept, in bytes.
const LARGEST: usize = 16 << 20;

/// Stores reports until the manager ends.
pub(crate) async fn follow(shared: Shared, sessions: Sessions) {
    let mut settled = HashSet::new();
    loop {
        sleep(POLL_INTERVAL).await;
        let is_watched = shared.workbench.bench().phase != Phase::Unmanaged;
        if !is_watched && !sessions.have_begun() {
            continue;
        }
        if let Err(error) = look(&shared, &mut settled).await {
            tracing::debug!(%error, "reports of runs could not be kept");
        }
    }
}

/// Requests the report of each running run, and once more after its end.
async fn look(shared: &Shared, settled: &mut HashSet<String>) -> Result<(), StoreError> {
    let latest = shared
        .store
        .read(|db| runs::latest(db, None, LATEST))
        .await?;
    let known: HashSet<_> = latest.iter().map(|run| run.id.clone()).collect();
    settled.retain(|id| known.contains(id));
    let now = OffsetDateTime::now_utc();
    for run in latest {
        let is_fresh = run.completed_at.is_some_and(|end| now - end < REMEMBERED);
        if run.is_running() || (is_fresh && settled.insert(run.id.clone())) {
            keep(shared, &run.id).await?;
        }
    }
    Ok(())
}

/// Keeps what the connector says of a run now, for a program that is about to end it. Answers with the report on the
/// run, of all its processes.
pub(super) async fn keep_now(
    State(page): State<Page>,
    Path(run): Path<String>,
) -> Result<Json<Option<RunReport>>, Refusal> {
    let shared = &page.shared;
    keep(shared, &run).await?;
    let report = shared.store.read(move |db| reports::find(db, &run));
    Ok(Json(report.await?))
}

async fn keep(shared: &Shared, run_id: &str) -> Result<(), StoreError> {
    let id = run_id.to_owned();
    let source = shared
        .store
        .read(move |db| match runs::find(db, &id)? {
            Some(run) => sources::find(db, &run.source_id),
            None => Ok(None),
        })
        .await?;
    let Some(manifest) = source.and_then(|source| lookup::connector(shared, &source)) else {
        return Ok(());
    };
    let base = format!("{}/sync/{run_id}", manifest.connector_url);
    let report = asked::<Value>(shared, &format!("{base}/report")).await;
    if let Some(report) = report.filter(Value::is_object) {
        let id = run_id.to_owned();
        let put = move |db: &Transaction<'_>| reports::put(db, &id, &report);
        shared.store.write(put).await?;
    }
    keep_requests(shared, run_id, &format!("{base}/requests")).await
}

/// Keeps what a run asked of its source since the last time.
async fn keep_requests(shared: &Shared, run_id: &str, url: &str) -> Result<(), StoreError> {
    let id = run_id.to_owned();
    let known = shared.store.read(move |db| requests::last(db, &id)).await?;
    let (began, number) = known.unwrap_or_default();
    let said = asked::<RunRequests>(shared, &format!("{url}/{number}")).await;
    let said = match said {
        // Another process counts anew.
        Some(said) if number > 0 && said.began_ms != began => {
            asked(shared, &format!("{url}/0")).await
        }
        said => said,
    };
    if let Some(said) = said {
        let id = run_id.to_owned();
        let put = move |db: &Transaction<'_>| requests::put(db, &id, said);
        shared.store.write(put).await?;
    }
    Ok(())
}

/// What a connector answers; none where it does not know the route or the run, or says too much.
async fn asked<T: DeserializeOwned>(shared: &Shared, url: &str) -> Option<T> {
    let answer = shared.connectors.send(Method::GET, url, None::<&()>).await;
    let answer = answer.ok()?.error_for_status().ok()?;
    let bytes = answer.bytes().await.ok()?;
    let decoded = || serde_json::from_slice(&bytes).ok();
    (bytes.len() <= LARGEST).then(decoded).flatten()
}

impl Page {
    /// Remembers the registered manifest and the previous one for comparison.
    pub(super) fn note_manifest(&self, now: &omni_connector::Manifest) {
        // The URL differs for each process and is not a change.
        let mut now = now.clone();
        now.connector_url.clear();
        self.memory(|memory| match &mut memory.manifests {
            Some((last, before)) if *last != now => {
                *before = Some(std::mem::replace(last, now));
            }
            Some(_) => {}
            none => *none = Some((now, None)),
        });
    }
}
