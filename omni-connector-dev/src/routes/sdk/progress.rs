//! Routes for a connector's reports on its run (`protocol.md` §3.6).

use axum::{Json, extract::State};
use omni_connector::wire::RunId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ok;
use crate::{
    routes::body::{Id, JsonBody},
    rules::{self, Refusal, Report},
    shared::Shared,
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
) -> Result<Json<Value>, Refusal> {
    take(&shared, run, Report::Heartbeat).await
}

pub(super) async fn scanned(
    State(shared): State<Shared>,
    Id(run): Id,
    JsonBody(Count { count }): JsonBody<Count>,
) -> Result<Json<Value>, Refusal> {
    take(&shared, run, Report::Scanned(count)).await
}

pub(super) async fn updated(
    State(shared): State<Shared>,
    Id(run): Id,
    JsonBody(Count { count }): JsonBody<Count>,
) -> Result<Json<Value>, Refusal> {
    take(&shared, run, Report::Updated(count)).await
}

pub(super) async fn checkpoint(
    State(shared): State<Shared>,
    Id(run): Id,
    JsonBody(checkpoint): JsonBody<Value>,
) -> Result<Json<Value>, Refusal> {
    take(&shared, run, Report::Checkpoint(checkpoint)).await
}

pub(super) async fn complete(
    State(shared): State<Shared>,
    Id(run): Id,
) -> Result<Json<Value>, Refusal> {
    take(&shared, run, Report::Complete).await
}

pub(super) async fn fail(
    State(shared): State<Shared>,
    Id(run): Id,
    JsonBody(Failure { error }): JsonBody<Failure>,
) -> Result<Json<Value>, Refusal> {
    take(&shared, run, Report::Fail(error)).await
}

pub(super) async fn cancel(
    State(shared): State<Shared>,
    JsonBody(RunId { sync_run_id, .. }): JsonBody<RunId>,
) -> Result<Json<Value>, Refusal> {
    rules::report(&shared, sync_run_id, Report::Cancel).await?;
    Ok(Json(json!({ "success": true })))
}

async fn take(shared: &Shared, run: String, report: Report) -> Result<Json<Value>, Refusal> {
    rules::report(shared, run, report).await?;
    Ok(ok())
}
