//! Sources as connectors, the web app and people read them (`protocol.md` §3.7, §3.9). Connectors
//! can read inactive and deleted sources as well.

use omni_connector::{
    ServiceCredential, SourceType,
    wire::{IntegrationType, UnknownName, UserFilterMode},
};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};
use time::Duration;

use super::Refusal;
use crate::{
    lookup, oauth,
    options::RunLimits,
    runs::Streak,
    shared::Shared,
    store::{
        StoreError,
        checkpoints::{self, WithCheckpoint},
        configs,
        runs::{self, Run, RunStatus},
        sources::{self, SourceRecord},
        users,
    },
};

/// Runs shown for a source.
const SHOWN_RUNS: usize = 10;

/// A source with its health and latest runs.
#[derive(Debug, Serialize)]
pub(crate) struct Overview {
    source: WithCheckpoint<SourceRecord>,
    health: &'static str,
    sync_runs: Vec<WithCheckpoint<Run>>,
}

impl Overview {
    /// Reads a source. Omits state and checkpoints.
    fn read(
        db: &Connection,
        mut source: SourceRecord,
        limits: &RunLimits,
        shown: usize,
    ) -> Result<Self, StoreError> {
        source.connector_state = None;
        let sync_runs = runs::latest_scheduled(db, &source.id, shown)?;
        let streak = Streak::read(db, &source.id, limits)?;
        Ok(Self {
            health: if streak.is_broken(limits) {
                "unhealthy"
            } else {
                "healthy"
            },
            source: without_checkpoint(source),
            sync_runs: sync_runs.into_iter().map(without_checkpoint).collect(),
        })
    }
}

fn without_checkpoint<T>(record: T) -> WithCheckpoint<T> {
    WithCheckpoint {
        record,
        checkpoint: None,
    }
}

fn is_native(source: &SourceRecord) -> bool {
    source.integration_type == IntegrationType::Connector
}

/// Returns all connector sources that are not deleted.
pub(crate) async fn all_sources(shared: &Shared) -> Result<Vec<Overview>, Refusal> {
    let is_shown = |source: &SourceRecord| !source.is_deleted && is_native(source);
    list(shared, is_shown, SHOWN_RUNS).await
}

/// Returns the active ones, including those of remote MCP servers, without runs.
pub(crate) async fn active_sources(shared: &Shared) -> Result<Vec<Overview>, Refusal> {
    let is_shown = |source: &SourceRecord| !source.is_deleted && source.is_active;
    list(shared, is_shown, 0).await
}

async fn list(
    shared: &Shared,
    is_shown: impl Fn(&SourceRecord) -> bool + Send + 'static,
    shown_runs: usize,
) -> Result<Vec<Overview>, Refusal> {
    let limits = shared.options.runs.clone();
    let overviews: Result<_, StoreError> = shared
        .store
        .read(move |db| {
            let sources = sources::all(db)?.into_iter().filter(is_shown);
            sources
                .map(|source| Overview::read(db, source, &limits, shown_runs))
                .collect()
        })
        .await;
    Ok(overviews?)
}

/// Returns one connector source that is not deleted.
pub(crate) async fn one_source(shared: &Shared, id: String) -> Result<Overview, Refusal> {
    let limits = shared.options.runs.clone();
    shared
        .store
        .read(move |db| {
            let source = sources::find(db, &id)?
                .filter(|source| !source.is_deleted && is_native(source))
                .ok_or_else(|| Refusal::source_not_found(&id))?;
            Ok::<_, Refusal>(Overview::read(db, source, &limits, SHOWN_RUNS)?)
        })
        .await
}

/// When a source last synced, and when its next run is due.
#[derive(Debug, Serialize)]
pub(crate) struct Schedule {
    source_id: String,
    source_name: String,
    source_type: String,
    sync_interval_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_sync_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sync_at: Option<String>,
    sync_status: Option<RunStatus>,
}

impl Schedule {
    /// Reads the schedule from the latest run of any mode and outcome.
    fn read(db: &Connection, source: SourceRecord) -> Result<Self, StoreError> {
        let latest = runs::latest(db, Some(&source.id), 1)?.pop();
        let end = latest.as_ref().and_then(|run| run.completed_at);
        let interval = source
            .sync_interval_seconds
            .map(|seconds| Duration::seconds(seconds.into()));
        let next = end
            .zip(interval)
            .map(|(end, interval)| end.saturating_add(interval));
        Ok(Self {
            source_id: source.id,
            source_name: source.name,
            source_type: source.source_type,
            sync_interval_seconds: source.sync_interval_seconds,
            next_sync_at: next.map(|time| time.to_string()),
            last_sync_at: end.map(|time| time.to_string()),
            sync_status: latest.map(|run| run.status),
        })
    }
}

/// Returns the schedules of all active sources.
pub(crate) async fn schedules(shared: &Shared) -> Result<Vec<Schedule>, Refusal> {
    let schedules: Result<_, StoreError> = shared
        .store
        .read(|db| {
            let sources = sources::all(db)?
                .into_iter()
                .filter(|source| source.is_active && !source.is_deleted && is_native(source));
            sources.map(|source| Schedule::read(db, source)).collect()
        })
        .await;
    Ok(schedules?)
}

/// Always fails: the development manager hosts no remote MCP servers. Errors about the source equal
/// the real manager's.
pub(crate) async fn refresh_remote_mcp(shared: &Shared, id: &str) -> Result<(), Refusal> {
    if is_native(&source(shared, id).await?) {
        return Err(Refusal::BadRequest("Not a remote MCP source".to_owned()));
    }
    Err(Refusal::Internal(
        "the development manager hosts no remote MCP servers".to_owned(),
    ))
}

/// Finds a source by id, inactive and deleted ones included.
async fn source(shared: &Shared, id: &str) -> Result<SourceRecord, Refusal> {
    let source = lookup::source(shared, id).await?;
    source.ok_or_else(|| Refusal::source_not_found(id))
}

fn with_checkpoint(
    db: &Connection,
    record: SourceRecord,
) -> Result<WithCheckpoint<SourceRecord>, StoreError> {
    let checkpoint = checkpoints::find(db, &record.id)?;
    Ok(WithCheckpoint { record, checkpoint })
}

/// Finds a source by id with its checkpoint, inactive and deleted ones included.
pub(crate) async fn served_source(
    shared: &Shared,
    id: String,
) -> Result<WithCheckpoint<SourceRecord>, Refusal> {
    shared
        .store
        .read(move |db| {
            let record = sources::find(db, &id)?.ok_or_else(|| Refusal::source_not_found(&id))?;
            Ok::<_, Refusal>(with_checkpoint(db, record)?)
        })
        .await
}

/// Returns the active sources of a type with their checkpoints.
pub(crate) async fn sources_of_type(
    shared: &Shared,
    source_type: String,
) -> Result<Vec<WithCheckpoint<SourceRecord>>, Refusal> {
    let sources: Result<_, StoreError> = shared
        .store
        .read(move |db| {
            let records = sources::active_of_type(db, &source_type)?.into_iter();
            records.map(|record| with_checkpoint(db, record)).collect()
        })
        .await;
    Ok(sources?)
}

/// Returns the credential of a source's owner.
pub(crate) async fn owner_credential(
    shared: &Shared,
    source_id: &str,
) -> Result<ServiceCredential, Refusal> {
    let source = source(shared, source_id).await?;
    let credential = oauth::owner(shared, &source).await?;
    credential.ok_or_else(|| Refusal::credentials_not_found(source_id))
}

/// Returns the e-mail address of a source's owner.
pub(crate) async fn owner_email(shared: &Shared, source_id: String) -> Result<String, Refusal> {
    let user = shared
        .store
        .read(move |db| match sources::find(db, &source_id)? {
            Some(source) => users::find(db, &source.created_by),
            None => Ok(None),
        })
        .await?;
    // The real manager answers 500 here, not 404.
    user.map(|user| user.email).ok_or_else(|| {
        Refusal::Internal(
            "Failed to get user email: no rows returned by a query that expected to return at least one row"
                .to_owned(),
        )
    })
}

/// All data that a run needs, in one answer.
#[derive(Debug, Serialize)]
pub(crate) struct SyncConfig {
    config: Value,
    credentials: Value,
    connector_state: Option<Value>,
    checkpoint: Option<Value>,
    source_type: SourceType,
    user_filter_mode: UserFilterMode,
    user_whitelist: Option<Vec<String>>,
    user_blacklist: Option<Vec<String>>,
}

/// Returns the data that a run of a source needs.
pub(crate) async fn sync_config(shared: &Shared, id: String) -> Result<SyncConfig, Refusal> {
    shared
        .store
        .read(move |db| {
            let source =
                sources::find(db, &id)?.ok_or_else(|| Refusal::source_not_found(&id))?;
            let source_type = source.source_type.parse().map_err(|_: UnknownName| {
                Refusal::BadRequest(format!(
                    "Source {id} cannot be served to a native connector SDK: unknown source type: {}",
                    source.source_type
                ))
            })?;
            let credential = lookup::owner_row(db, &source)?;
            Ok(SyncConfig {
                config: source.config,
                credentials: credential.map_or_else(|| json!({}), |row| row.credentials),
                connector_state: source.connector_state,
                checkpoint: checkpoints::find(db, &source.id)?,
                source_type,
                user_filter_mode: source.user_filter_mode,
                user_whitelist: source.user_whitelist,
                user_blacklist: source.user_blacklist,
            })
        })
        .await
}

/// Returns a provider's settings.
pub(crate) async fn connector_config(shared: &Shared, provider: String) -> Result<Value, Refusal> {
    shared
        .store
        .read(move |db| {
            configs::find(db, &provider)?.ok_or_else(|| {
                Refusal::NotFound(format!(
                    "Connector config not found for provider: {provider}"
                ))
            })
        })
        .await
}
