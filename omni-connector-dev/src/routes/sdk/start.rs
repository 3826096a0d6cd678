//! Routes on which a connector starts runs (`protocol.md` §3.8).

use axum::{Json, extract::State};
use omni_connector::{SyncType, wire::RunId};
use serde::Deserialize;

use crate::{
    routes::body::JsonBody, rules::Refusal, runs, shared::Shared, store::runs::TriggerType,
};

#[derive(Debug, Deserialize)]
pub(super) struct Create {
    source_id: String,
    sync_type: SyncType,
}

pub(super) async fn create(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<Create>,
) -> Result<Json<RunId>, Refusal> {
    let run = runs::create(&shared, request.source_id, request.sync_type).await?;
    Ok(Json(RunId::new(run.id)))
}

#[derive(Debug, Deserialize)]
pub(super) struct Notification {
    source_id: String,
    event_type: String,
}

pub(super) async fn webhook(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<Notification>,
) -> Result<Json<RunId>, Refusal> {
    tracing::info!(
        source = request.source_id,
        event = request.event_type,
        "webhook"
    );
    let run = runs::trigger(
        &shared,
        &request.source_id,
        SyncType::Incremental,
        TriggerType::Webhook,
    )
    .await
    // A webhook gets 500 for every failure.
    .map_err(|error| Refusal::Internal(format!("Failed to trigger sync: {error}")))?;
    Ok(Json(RunId::new(run.id)))
}
