//! `POST /sdk/content` (`protocol.md` §3.5).

use axum::{Json, extract::State};
use omni_connector::wire::{ContentId, ContentRequest};

use crate::{
    routes::body::JsonBody,
    rules::{self, Refusal},
    shared::Shared,
};

pub(super) async fn store(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<ContentRequest>,
) -> Result<Json<ContentId>, Refusal> {
    let content_id = rules::store_text(&shared, request.sync_run_id, &request.content).await?;
    Ok(Json(ContentId::new(content_id)))
}
