//! Starts a run: checks in protocol order, stores the run, calls the connector (`protocol.md` §5.2,
//! §5.3).

use omni_connector::{SyncType, wire::IntegrationType};
use rusqlite::Connection;

use super::dispatch::{self, ResumeError, dispatch};
use crate::{
    options::RunLimits,
    shared::Shared,
    state::ConnectorError,
    store::{
        StoreError,
        bounds::{self, Bound},
        checkpoints,
        history::SavedCheckpoint,
        runs::{self, Run, SlotClass, TriggerType},
        sources::{self, SourceRecord},
    },
};

/// Why no run was started, or why a started run ended at once.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// The slot of the source is taken.
    #[error("Sync already running for source: {0}")]
    AlreadyRunning(String),
    /// The limit of running runs, all sources together, is reached.
    #[error("Concurrency limit reached")]
    GlobalLimit,
    /// The limit of running runs of the class is reached.
    #[error("Concurrency limit reached for {0} syncs")]
    ClassLimit(&'static str),
    /// The source does not exist.
    #[error("Source not found: {0}")]
    SourceNotFound(String),
    /// The source is inactive.
    #[error("Source is inactive: {0}")]
    Inactive(String),
    /// The source belongs to a remote MCP server.
    #[error("Source does not support data sync: {0}")]
    NotSyncable(String),
    /// No live connector claims the type.
    #[error("Connector not configured for type: {0:?}")]
    ConnectorNotConfigured(String),
    /// The connector answered 404 to a realtime run, which is now cancelled.
    #[error("realtime sync is not available for source: {0}")]
    RealtimeUnavailable(String),
    /// The connector refused or could not be reached; the run has failed.
    #[error("Connector error: {0}")]
    Connector(ConnectorError),
    /// The store failed.
    #[error("Database error: {0}")]
    Store(#[from] StoreError),
}

/// Starts a run and sends it to the connector before returning.
pub(crate) async fn trigger(
    shared: &Shared,
    source_id: &str,
    sync_type: SyncType,
    trigger_type: TriggerType,
) -> Result<Run, TriggerError> {
    start(shared, source_id, sync_type, trigger_type, None).await
}

/// Starts a run for a trial: bounded, and from another checkpoint than the source's if one is given.
pub(crate) async fn trial(
    shared: &Shared,
    source_id: &str,
    sync_type: SyncType,
    bound: Bound,
    from: Option<SavedCheckpoint>,
) -> Result<Run, TriggerError> {
    let trial = Some((bound, from));
    start(shared, source_id, sync_type, TriggerType::Manual, trial).await
}

async fn start(
    shared: &Shared,
    source_id: &str,
    sync_type: SyncType,
    trigger_type: TriggerType,
    trial: Option<(Bound, Option<SavedCheckpoint>)>,
) -> Result<Run, TriggerError> {
    let (bound, from) = trial.unzip();
    let from = from.flatten();
    let (checkpoint, since) = match from {
        Some(saved) => (saved.checkpoint, Some(saved.saved_at)),
        None => (None, None),
    };
    let (id, limits) = (source_id.to_owned(), shared.options.runs.clone());
    let registry = shared.registry.clone();
    let (run, source, connector_url) = shared
        .store
        .write(move |db| {
            let class = SlotClass::of(sync_type);
            check_limits(db, &id, class, &limits)?;
            let source = find_source(db, &id)?;
            if source.integration_type != IntegrationType::Connector {
                return Err(TriggerError::NotSyncable(id));
            }
            let Some(manifest) = registry.serving(&source.source_type) else {
                return Err(TriggerError::ConnectorNotConfigured(source.source_type));
            };
            let never_completed = runs::latest_completion(db, &id)?.is_none();
            let sync_type = match sync_type {
                SyncType::Incremental if never_completed => SyncType::Full,
                sync_type => sync_type,
            };
            let run = runs::insert(db, &id, sync_type, trigger_type)?;
            if let Some(bound) = bound {
                bounds::put(db, &run.id, &bound)?;
            }
            if let Some(checkpoint) = checkpoint {
                checkpoints::put(db, &run.id, &checkpoint)?;
            }
            Ok((run, source, manifest.connector_url))
        })
        .await?;
    dispatch(shared, &connector_url, &run, &source, since).await?;
    Ok(run)
}

/// Creates a run that the connector drives itself; nothing is sent to it (`protocol.md` §3.8).
pub(crate) async fn create(
    shared: &Shared,
    source_id: String,
    sync_type: SyncType,
) -> Result<Run, TriggerError> {
    let limits = shared.options.runs.clone();
    shared
        .store
        .write(move |db| {
            find_source(db, &source_id)?;
            check_limits(db, &source_id, SlotClass::of(sync_type), &limits)?;
            Ok(runs::insert(
                db,
                &source_id,
                sync_type,
                TriggerType::Manual,
            )?)
        })
        .await
}

/// Resumes an interrupted run at once, without waiting for the scheduler.
pub(crate) async fn resume(shared: &Shared, run: &Run) -> Result<(), TriggerError> {
    let id = run.source_id.clone();
    let source = shared.store.read(move |db| find_source(db, &id)).await?;
    let Some(manifest) = shared.registry.serving(&source.source_type) else {
        return Err(TriggerError::ConnectorNotConfigured(source.source_type));
    };
    let resumed = dispatch::resume(shared, &manifest.connector_url, run, &source).await;
    resumed.map_err(|error| match error {
        ResumeError::Connector(error) => TriggerError::Connector(error),
        ResumeError::Store(error) => TriggerError::Store(error),
    })
}

fn check_limits(
    db: &Connection,
    source_id: &str,
    class: SlotClass,
    limits: &RunLimits,
) -> Result<(), TriggerError> {
    if runs::is_slot_taken(db, source_id, class)? {
        return Err(TriggerError::AlreadyRunning(source_id.to_owned()));
    }
    let (all, of_class) = runs::count_running(db, class)?;
    if all >= limits.concurrent {
        return Err(TriggerError::GlobalLimit);
    }
    if of_class >= limits.concurrent_per_class {
        return Err(TriggerError::ClassLimit(class.as_str()));
    }
    Ok(())
}

fn find_source(db: &Connection, id: &str) -> Result<SourceRecord, TriggerError> {
    match sources::find(db, id)? {
        None => Err(TriggerError::SourceNotFound(id.to_owned())),
        Some(source) if !source.is_active => Err(TriggerError::Inactive(id.to_owned())),
        Some(source) => Ok(source),
    }
}
