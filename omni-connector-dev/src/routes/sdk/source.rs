//! Routes on which a connector reads its source (`protocol.md` §3.7).

use axum::{Json, extract::State};
use omni_connector::ServiceCredential;
use serde_json::{Value, json};

use super::ok;
use crate::{
    routes::body::{Id, JsonBody},
    rules::{self, Refusal, SyncConfig},
    shared::Shared,
    store::{checkpoints::WithCheckpoint, sources::SourceRecord},
};

pub(super) async fn source(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<Json<WithCheckpoint<SourceRecord>>, Refusal> {
    rules::served_source(&shared, id).await.map(Json)
}

pub(super) async fn credentials(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<Json<ServiceCredential>, Refusal> {
    rules::owner_credential(&shared, &id).await.map(Json)
}

pub(super) async fn sync_config(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<Json<SyncConfig>, Refusal> {
    rules::sync_config(&shared, id).await.map(Json)
}

pub(super) async fn user_email(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<Json<Value>, Refusal> {
    let email = rules::owner_email(&shared, id).await?;
    Ok(Json(json!({ "email": email })))
}

pub(super) async fn put_connector_state(
    State(shared): State<Shared>,
    Id(id): Id,
    JsonBody(state): JsonBody<Value>,
) -> Result<Json<Value>, Refusal> {
    rules::save_connector_state(&shared, id, state).await?;
    Ok(ok())
}

pub(super) async fn by_type(
    State(shared): State<Shared>,
    Id(source_type): Id,
) -> Result<Json<Vec<WithCheckpoint<SourceRecord>>>, Refusal> {
    rules::sources_of_type(&shared, source_type).await.map(Json)
}

pub(super) async fn connector_config(
    State(shared): State<Shared>,
    Id(provider): Id,
) -> Result<Json<Value>, Refusal> {
    rules::connector_config(&shared, provider).await.map(Json)
}
