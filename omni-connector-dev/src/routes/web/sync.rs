//! Routes that start and cancel runs manually.

use axum::{Json, extract::State};
use omni_connector::SyncType;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    routes::body::{Id, JsonBody},
    rules::Refusal,
    runs,
    shared::Shared,
    store::runs::TriggerType,
};

#[derive(Debug, Deserialize)]
pub(super) struct Trigger {
    source_id: String,
    sync_mode: Option<SyncType>,
}

pub(super) async fn trigger(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<Trigger>,
) -> Result<Json<Value>, Refusal> {
    let mode = request.sync_mode.unwrap_or(SyncType::Incremental);
    start(&shared, &request.source_id, mode).await
}

pub(super) async fn trigger_full(
    State(shared): State<Shared>,
    Id(source_id): Id,
) -> Result<Json<Value>, Refusal> {
    start(&shared, &source_id, SyncType::Full).await
}

async fn start(shared: &Shared, source_id: &str, mode: SyncType) -> Result<Json<Value>, Refusal> {
    let run = runs::trigger(shared, source_id, mode, TriggerType::Manual).await?;
    Ok(Json(json!({ "sync_run_id": run.id, "status": "started" })))
}

/// Cancels a run. Ignores a request body.
pub(super) async fn cancel(
    State(shared): State<Shared>,
    Id(run_id): Id,
) -> Result<Json<Value>, Refusal> {
    runs::cancel(&shared, &run_id).await?;
    Ok(Json(json!({ "status": "cancelled" })))
}
