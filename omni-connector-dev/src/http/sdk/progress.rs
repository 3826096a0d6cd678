//! What a connector reports of its run (`protocol.md` §3.6). A run that is over, or unknown, is answered with 200 and left
//! as it is.

use axum::{Json, extract::State};
use omni_connector::wire::RunId;
use rusqlite::Transaction;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{holds_nul, ok};
use crate::{
    http::{
        body::{Id, JsonBody},
        error::{ApiError, NUL_IN_JSON, NUL_IN_TEXT},
    },
    manager::Shared,
    store::{StoreError, runs},
};

#[derive(Debug, Deserialize)]
pub(super) struct Count {
    #[serde(default = "one")]
    count: i32,
}

fn one() -> i32 {
    1
}

#[derive(Debug, Deserialize)]
pub(super) struct Failure {
    error: String,
}

pub(super) async fn heartbeat(
    State(shared): State<Shared>,
    Id(run): Id,
) -> Result<Json<Value>, ApiError> {
    change(&shared, "Failed to update heartbeat", move |db| {
        runs::touch(db, &run)
    })
    .await
}

pub(super) async fn scanned(
    State(shared): State<Shared>,
    Id(run): Id,
    JsonBody(Count { count }): JsonBody<Count>,
) -> Result<Json<Value>, ApiError> {
    change(&shared, "Failed to increment scanned", move |db| {
        runs::add_scanned(db, &run, count)
    })
    .await
}

pub(super) async fn updated(
    State(shared): State<Shared>,
    Id(run): Id,
    JsonBody(Count { count }): JsonBody<Count>,
) -> Result<Json<Value>, ApiError> {
    change(&shared, "Failed to increment updated", move |db| {
        runs::add_updated(db, &run, count)
    })
    .await
}

pub(super) async fn checkpoint(
    State(shared): State<Shared>,
    Id(run): Id,
    JsonBody(checkpoint): JsonBody<Value>,
) -> Result<Json<Value>, ApiError> {
    const FAILURE: &str = "Failed to update checkpoint";
    refuse_nul(&checkpoint, FAILURE)?;
    change(&shared, FAILURE, move |db| {
        runs::save_checkpoint(db, &run, &checkpoint)
    })
    .await
}

pub(super) async fn complete(
    State(shared): State<Shared>,
    Id(run): Id,
) -> Result<Json<Value>, ApiError> {
    change(&shared, "Failed to mark completed", move |db| {
        runs::complete(db, &run).map(drop)
    })
    .await
}

pub(super) async fn fail(
    State(shared): State<Shared>,
    Id(run): Id,
    JsonBody(Failure { error }): JsonBody<Failure>,
) -> Result<Json<Value>, ApiError> {
    const FAILURE: &str = "Failed to mark failed";
    if error.contains('\0') {
        let text = format!("{FAILURE}: Connection error: {NUL_IN_TEXT}");
        return Err(ApiError::Internal(text));
    }
    change(&shared, FAILURE, move |db| {
        runs::fail(db, &run, &error).map(drop)
    })
    .await
}

pub(super) async fn cancel(
    State(shared): State<Shared>,
    JsonBody(RunId { sync_run_id }): JsonBody<RunId>,
) -> Result<Json<Value>, ApiError> {
    let Json(_) = change(&shared, "Failed to cancel sync", move |db| {
        runs::cancel(db, &sync_run_id, "Cancelled by user").map(drop)
    })
    .await?;
    Ok(Json(json!({ "success": true })))
}

/// U+0000 in free JSON is what Omni's database refuses.
pub(super) fn refuse_nul(value: &Value, failure: &str) -> Result<(), ApiError> {
    if holds_nul(value) {
        let text = format!("{failure}: Connection error: {NUL_IN_JSON}");
        return Err(ApiError::Internal(text));
    }
    Ok(())
}

async fn change(
    shared: &Shared,
    failure: &'static str,
    change: impl FnOnce(&Transaction<'_>) -> Result<(), StoreError> + Send + 'static,
) -> Result<Json<Value>, ApiError> {
    match shared.store.write(change).await {
        Ok(()) => Ok(ok()),
        // The only constraint a report can break is the width of a counter.
        Err(error) if error.is_conflict() => Err(ApiError::Internal(format!(
            "{failure}: Connection error: error returned from database: integer out of range"
        ))),
        Err(error) => Err(ApiError::Internal(format!("{failure}: {error}"))),
    }
}
