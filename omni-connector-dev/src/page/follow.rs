//! Stores connectors' reports on their runs while the page is open. Otherwise a report would be lost with the
//! connector's process.

use std::{collections::HashSet, time::Duration};

use reqwest::Method;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::sleep;

use super::{Door, Page};
use crate::{
    lookup,
    shared::Shared,
    store::{StoreError, history, runs, sources},
    workbench::Phase,
};

/// The time between two polls.
const GLANCE: Duration = Duration::from_millis(700);
/// The number of latest runs that are polled.
const LATEST: usize = 20;
/// How long after the end of a run its connector is asked for the report.
const REMEMBERED: time::Duration = time::Duration::minutes(2);
/// The largest report that is kept, in bytes.
const LARGEST: usize = 4 << 20;

/// Stores reports until the manager ends.
pub(crate) async fn follow(shared: Shared, door: Door) {
    let mut settled = HashSet::new();
    loop {
        sleep(GLANCE).await;
        let is_watched = shared.workbench.bench().phase != Phase::Unwatched;
        if !is_watched && !door.has_guests() {
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
    let url = format!("{}/sync/{run_id}/report", manifest.connector_url);
    let Ok(answer) = shared.connectors.send(Method::GET, &url, None::<&()>).await else {
        return Ok(());
    };
    if !answer.status().is_success() {
        return Ok(());
    }
    let Ok(bytes) = answer.bytes().await else {
        return Ok(());
    };
    let Ok(report) = serde_json::from_slice::<Value>(&bytes) else {
        return Ok(());
    };
    if bytes.len() > LARGEST || !report.is_object() {
        return Ok(());
    }
    let id = run_id.to_owned();
    shared
        .store
        .write(move |db| history::put_report(db, &id, &report))
        .await
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
