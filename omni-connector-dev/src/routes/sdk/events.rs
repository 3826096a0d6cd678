//! `POST /sdk/events` and `/sdk/events/batch` (`protocol.md` §3.4).

use axum::{Json, extract::State};
use omni_connector::{ConnectorEvent, wire::EventBatch};
use serde::Deserialize;
use serde_json::Value;

use super::ok;
use crate::{
    routes::body::JsonBody,
    rules::{self, Refusal},
    shared::Shared,
};

#[derive(Debug, Deserialize)]
pub(super) struct OneEvent {
    sync_run_id: String,
    source_id: String,
    event: ConnectorEvent,
}

pub(super) async fn one(
    State(shared): State<Shared>,
    JsonBody(OneEvent {
        sync_run_id,
        source_id,
        event,
    }): JsonBody<OneEvent>,
) -> Result<Json<Value>, Refusal> {
    let batch = EventBatch::new(sync_run_id, source_id, vec![event]);
    rules::accept(&shared, batch, "Failed to enqueue event").await?;
    Ok(ok())
}

pub(super) async fn batch(
    State(shared): State<Shared>,
    JsonBody(batch): JsonBody<EventBatch>,
) -> Result<Json<Value>, Refusal> {
    rules::accept(&shared, batch, "Failed to enqueue event batch").await?;
    Ok(ok())
}
