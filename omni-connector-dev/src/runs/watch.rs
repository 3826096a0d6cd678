//! Watches running runs (`protocol.md` §5.4–§5.6): probes them, resumes lost ones, fails those
//! beyond recovery, and cancels those of inactive sources. A single unanswered probe must never
//! fail a run.

use std::collections::{HashMap, HashSet};

use super::dispatch::resume;
use crate::{
    shared::Shared,
    state::Probe,
    store::{
        StoreError,
        runs::{self, Run},
        sources::{self, SourceRecord},
    },
};

/// Lost runs and how often each was lost.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Consecutive losses, by run.
    counts: HashMap<String, u32>,
    /// Runs whose connector was not registered at the last probe.
    unregistered: HashSet<String>,
}

impl Losses {
    fn forget(&mut self, run_id: &str) {
        self.counts.remove(run_id);
        self.unregistered.remove(run_id);
    }
}

/// Probes each running run in turn and resumes the lost ones.
pub(super) async fn probe_all(shared: &Shared, losses: &mut Losses) -> Result<(), StoreError> {
    let running = running(shared).await?;
    let is_running = |id: &String| running.iter().any(|(run, _)| run.id == *id);
    losses.counts.retain(|id, _| is_running(id));
    losses.unregistered.retain(is_running);
    for (run, source) in running {
        match connector_url(shared, &source) {
            None => {
                // A run gets one tick of grace when its connector is first seen unregistered.
                if !losses.unregistered.insert(run.id.clone()) {
                    lost(shared, losses, &run, &source, None).await?;
                }
            }
            Some(url) => {
                losses.unregistered.remove(&run.id);
                match shared.connectors.probe(&url, &run.id).await {
                    Probe::Running => losses.forget(&run.id),
                    Probe::Unknown => {}
                    Probe::Lost => lost(shared, losses, &run, &source, Some(&url)).await?,
                }
            }
        }
    }
    Ok(())
}

async fn lost(
    shared: &Shared,
    losses: &mut Losses,
    run: &Run,
    source: &SourceRecord,
    connector_url: Option<&str>,
) -> Result<(), StoreError> {
    let id = run.id.clone();
    let now = shared.store.read(move |db| runs::find(db, &id)).await?;
    let Some(run) = now.filter(Run::is_running) else {
        losses.forget(&run.id);
        return Ok(());
    };
    let count = losses.counts.entry(run.id.clone()).or_default();
    *count += 1;
    if *count > shared.options.runs.resumes {
        losses.forget(&run.id);
        tracing::warn!(run = run.id, "a lost run is given up");
        let message = "Connector repeatedly lost sync; auto-resume gave up";
        return shared
            .store
            .write(move |db| runs::fail(db, &run.id, message).map(drop))
            .await;
    }
    let Some(url) = connector_url else {
        return Ok(());
    };
    tracing::info!(run = run.id, attempt = *count, "a lost run is resumed");
    if let Err(error) = resume(shared, url, &run, source).await {
        tracing::warn!(run = run.id, %error, "a lost run was not taken up again");
    }
    Ok(())
}

/// Cancels the runs of inactive or deleted sources.
pub(super) async fn cancel_disabled(shared: &Shared) -> Result<(), StoreError> {
    for (run, source) in running(shared).await? {
        if source.is_active && !source.is_deleted {
            continue;
        }
        tell_to_cancel(shared, &run, &source).await;
        shared
            .store
            .write(move |db| runs::cancel(db, &run.id, "Source was disabled").map(drop))
            .await?;
    }
    Ok(())
}

/// Fails runs without activity.
pub(super) async fn fail_stale(shared: &Shared) -> Result<(), StoreError> {
    let limit = shared.options.runs.stale;
    let limit = time::Duration::try_from(limit).unwrap_or(time::Duration::MAX);
    let stale = shared.store.read(move |db| runs::stale(db, limit)).await?;
    for run in stale {
        let id = run.source_id.clone();
        let source = shared.store.read(move |db| sources::find(db, &id)).await?;
        if let Some(source) = source {
            tell_to_cancel(shared, &run, &source).await;
        }
        tracing::warn!(run = run.id, "a run without activity is failed");
        let message = "Sync timed out (no activity detected)";
        shared
            .store
            .write(move |db| runs::fail(db, &run.id, message).map(drop))
            .await?;
    }
    Ok(())
}

async fn tell_to_cancel(shared: &Shared, run: &Run, source: &SourceRecord) {
    if let Some(url) = connector_url(shared, source) {
        shared.connectors.cancel(&url, &run.id).await;
    }
}

fn connector_url(shared: &Shared, source: &SourceRecord) -> Option<String> {
    let manifest = shared.registry.serving(&source.source_type)?;
    Some(manifest.connector_url)
}

async fn running(shared: &Shared) -> Result<Vec<(Run, SourceRecord)>, StoreError> {
    shared
        .store
        .read(|db| {
            let mut running = Vec::new();
            for run in runs::running(db)? {
                if let Some(source) = sources::find(db, &run.source_id)? {
                    running.push((run, source));
                }
            }
            Ok(running)
        })
        .await
}
