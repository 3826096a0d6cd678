//! Sources with their health and latest runs, and when they are due (`protocol.md` §3.9).

use axum::{Json, extract::State};
use omni_connector::contract::IntegrationType;
use rusqlite::Connection;
use serde::Serialize;
use time::Duration;

use crate::{
    http::{body::Id, error::ApiError},
    manager::Shared,
    options::RunLimits,
    runs::Streak,
    store::{
        StoreError,
        runs::{self, Run, RunStatus},
        sources::{self, SourceRecord},
    },
};

/// Runs shown of a source.
const SHOWN_RUNS: usize = 10;

#[derive(Serialize)]
pub(super) struct Overview {
    source: SourceRecord,
    health: &'static str,
    sync_runs: Vec<Run>,
}

impl Overview {
    /// The connector's state is left out.
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
            source,
            sync_runs,
        })
    }
}

fn is_native(source: &SourceRecord) -> bool {
    source.integration_type == IntegrationType::Connector
}

pub(super) async fn all(State(shared): State<Shared>) -> Result<Json<Vec<Overview>>, ApiError> {
    let is_shown = |source: &SourceRecord| !source.is_deleted && is_native(source);
    list(&shared, is_shown, SHOWN_RUNS).await
}

/// Those that are switched on, also of remote MCP servers, without runs.
pub(super) async fn active(State(shared): State<Shared>) -> Result<Json<Vec<Overview>>, ApiError> {
    let is_shown = |source: &SourceRecord| !source.is_deleted && source.is_active;
    list(&shared, is_shown, 0).await
}

async fn list(
    shared: &Shared,
    is_shown: impl Fn(&SourceRecord) -> bool + Send + 'static,
    shown_runs: usize,
) -> Result<Json<Vec<Overview>>, ApiError> {
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
    Ok(Json(overviews?))
}

pub(super) async fn one(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<Json<Overview>, ApiError> {
    let limits = shared.options.runs.clone();
    let overview = shared
        .store
        .read(move |db| {
            let source = sources::find(db, &id)?
                .filter(|source| !source.is_deleted && is_native(source))
                .ok_or_else(|| ApiError::source_not_found(&id))?;
            Ok::<_, ApiError>(Overview::read(db, source, &limits, SHOWN_RUNS)?)
        })
        .await?;
    Ok(Json(overview))
}

#[derive(Serialize)]
pub(super) struct Schedule {
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
    /// By the latest run of any mode and outcome.
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

pub(super) async fn schedules(
    State(shared): State<Shared>,
) -> Result<Json<Vec<Schedule>>, ApiError> {
    let schedules: Result<_, StoreError> = shared
        .store
        .read(|db| {
            let sources = sources::all(db)?
                .into_iter()
                .filter(|source| source.is_active && !source.is_deleted && is_native(source));
            sources.map(|source| Schedule::read(db, source)).collect()
        })
        .await;
    Ok(Json(schedules?))
}

/// The development manager hosts no remote MCP servers; what it can say of a source it says as the real one does.
pub(super) async fn refresh_remote_mcp(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<(), ApiError> {
    let wanted = id.clone();
    let source = shared
        .store
        .read(move |db| sources::find(db, &wanted))
        .await?
        .ok_or_else(|| ApiError::source_not_found(&id))?;
    if is_native(&source) {
        return Err(ApiError::BadRequest("Not a remote MCP source".to_owned()));
    }
    Err(ApiError::Internal(
        "the development manager hosts no remote MCP servers".to_owned(),
    ))
}
