//! `POST /sdk/content` (`protocol.md` §3.5): texts are normalised, cut and stored once. The run is touched, not checked.

use axum::{Json, extract::State};
use omni_connector::wire::{ContentId, ContentRequest};

use crate::{
    content::{normalise, truncate},
    http::{body::JsonBody, error::ApiError},
    manager::Shared,
    store::{StoreError, contents, runs},
};

pub(super) async fn store(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<ContentRequest>,
) -> Result<Json<ContentId>, ApiError> {
    let mut text = normalise(&request.content);
    truncate(&mut text, shared.options.extraction.max_text_bytes);
    let content_id = put(&shared, request.sync_run_id, text).await?;
    Ok(Json(ContentId { content_id }))
}

/// Stores a text that was normalised before.
pub(super) async fn put(shared: &Shared, run: String, text: String) -> Result<String, ApiError> {
    shared
        .store
        .write(move |db| {
            runs::touch(db, &run)?;
            contents::put(db, &run, &text)
        })
        .await
        .map_err(|error: StoreError| {
            ApiError::Internal(format!("Failed to store content: {error}"))
        })
}
