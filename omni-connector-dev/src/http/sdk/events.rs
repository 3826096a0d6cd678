//! Events (`protocol.md` §3.4): all of a request or none of it, in order, and only from a running run of that source.

use axum::{Json, extract::State};
use omni_connector::{ConnectorEvent, contract::wire::EventBatch};
use serde::Deserialize;
use serde_json::Value;

use super::{holds_nul, ok};
use crate::{
    http::{
        body::JsonBody,
        error::{ApiError, NUL_IN_JSON},
    },
    manager::Shared,
    store::{StoreError, apply::apply, runs, sources},
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
) -> Result<Json<Value>, ApiError> {
    let batch = EventBatch {
        sync_run_id,
        source_id,
        events: vec![event],
    };
    accept(&shared, batch, "Failed to enqueue event").await
}

pub(super) async fn batch(
    State(shared): State<Shared>,
    JsonBody(batch): JsonBody<EventBatch>,
) -> Result<Json<Value>, ApiError> {
    accept(&shared, batch, "Failed to enqueue event batch").await
}

async fn accept(
    shared: &Shared,
    batch: EventBatch,
    failure: &'static str,
) -> Result<Json<Value>, ApiError> {
    let storage = move |error: StoreError| ApiError::Internal(format!("{failure}: {error}"));
    shared
        .store
        .write(move |db| {
            let EventBatch {
                sync_run_id,
                source_id,
                events,
            } = &batch;
            let refused = |text: &str| Err(ApiError::BadRequest(text.to_owned()));
            match sources::is_deleted(db, source_id)? {
                None => return refused("Unknown event source"),
                Some(true) => return refused("Events may not be emitted for a deleted source"),
                Some(false) => {}
            }
            let Some(run) = runs::find(db, sync_run_id)? else {
                return refused("Unknown sync run");
            };
            if run.source_id != *source_id {
                return refused("Sync run does not belong to the supplied source");
            }
            if !run.is_running() {
                return refused("Events may only be emitted for a running sync run");
            }
            if events
                .iter()
                .any(|event| event.ids() != (sync_run_id, source_id))
            {
                return refused(
                    "Event source_id/sync_run_id does not match the trusted request context",
                );
            }
            let as_json = |event| serde_json::to_value(event).unwrap_or_default();
            if events.iter().map(as_json).any(|event| holds_nul(&event)) {
                return Err(ApiError::Internal(format!("{failure}: {NUL_IN_JSON}")));
            }
            apply(db, sync_run_id, source_id, events).map_err(storage)?;
            Ok(ok())
        })
        .await
}
