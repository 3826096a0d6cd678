//! `POST /sdk/register` (`protocol.md` §3.3).

use axum::{Json, extract::State};
use omni_connector::Manifest;
use serde_json::Value;

use super::ok;
use crate::{
    routes::body::JsonBody,
    rules::{self, Refusal},
    shared::Shared,
};

pub(super) async fn register(
    State(shared): State<Shared>,
    JsonBody(manifest): JsonBody<Manifest>,
) -> Result<Json<Value>, Refusal> {
    rules::register(&shared, manifest).await?;
    Ok(ok())
}
