//! `POST /sdk/extract-content` and `/sdk/extract-text` (`protocol.md` §3.5). The permit is taken before the body is read; the
//! text is cut first and normalised afterwards, and the run is touched at the end.

use std::time::Instant;

use axum::{
    Json,
    extract::{
        Multipart, State,
        multipart::{Field, MultipartError},
    },
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use omni_connector::wire::ContentId;
use serde_json::{Value, json};

use super::content;
use crate::{
    content::{normalise, truncate},
    extract::File,
    http::{body::LINGER, error::ApiError},
    manager::Shared,
    store::runs,
};

pub(super) async fn stored(
    State(shared): State<Shared>,
    headers: HeaderMap,
    form: Multipart,
) -> Result<Json<ContentId>, ApiError> {
    let (run, text) = extract(&shared, &headers, form).await?;
    let content_id = content::put(&shared, run, text).await?;
    Ok(Json(ContentId { content_id }))
}

pub(super) async fn returned(
    State(shared): State<Shared>,
    headers: HeaderMap,
    form: Multipart,
) -> Result<Json<Value>, ApiError> {
    let (run, text) = extract(&shared, &headers, form).await?;
    shared.store.write(move |db| runs::touch(db, &run)).await?;
    Ok(Json(json!({ "text": text })))
}

/// The run and the text.
async fn extract(
    shared: &Shared,
    headers: &HeaderMap,
    form: Multipart,
) -> Result<(String, String), ApiError> {
    let limits = &shared.options.extraction;
    let Ok(permit) = shared.extraction.clone().try_acquire_owned() else {
        return Err(ApiError::Busy(limits.retry_after));
    };
    if let Some(announced) = announced(headers)
        && announced > super::form_bytes(limits.max_input_bytes) as u64
    {
        tokio::spawn(tokio::time::timeout(LINGER, drain(form)));
        return Err(too_large(announced, limits.max_input_bytes));
    }
    let form = Form::read(form, limits.max_input_bytes).await?;
    let file = File {
        mime_type: form.mime_type,
        name: form.filename,
        data: form.data,
        max_rows: limits.max_rows,
        max_text_bytes: limits.max_text_bytes,
        until: Instant::now() + limits.max_time,
    };
    let mut text = file
        .text(permit)
        .await
        .map_err(|error| ApiError::Internal(format!("Content extraction failed: {error}")))?;
    truncate(&mut text, limits.max_text_bytes);
    Ok((form.sync_run_id, normalise(&text)))
}

struct Form {
    sync_run_id: String,
    mime_type: String,
    filename: Option<String>,
    data: Bytes,
}

impl Form {
    /// Of a repeated field the last one counts, unknown ones are skipped.
    async fn read(mut form: Multipart, max_bytes: usize) -> Result<Self, ApiError> {
        let (mut sync_run_id, mut mime_type, mut filename, mut data) = (None, None, None, None);
        while let Some(field) = form
            .next_field()
            .await
            .map_err(|error| refuse("Failed to read multipart field", &error))?
        {
            match field.name() {
                Some("sync_run_id") => sync_run_id = Some(text(field, "sync_run_id").await?),
                Some("mime_type") => mime_type = Some(text(field, "mime_type").await?),
                Some("filename") => filename = Some(text(field, "filename").await?),
                Some("data") => data = Some(bytes(field, max_bytes).await?),
                _ => {}
            }
        }
        let missing = |name: &str| ApiError::BadRequest(format!("Missing {name}"));
        Ok(Self {
            sync_run_id: sync_run_id.ok_or_else(|| missing("sync_run_id"))?,
            mime_type: mime_type.ok_or_else(|| missing("mime_type"))?,
            data: data.ok_or_else(|| missing("data"))?,
            filename,
        })
    }
}

async fn text(field: Field<'_>, name: &str) -> Result<String, ApiError> {
    field
        .text()
        .await
        .map_err(|error| refuse(&format!("Invalid {name}"), &error))
}

async fn bytes(mut field: Field<'_>, max_bytes: usize) -> Result<Bytes, ApiError> {
    let mut data = BytesMut::new();
    while let Some(chunk) = field
        .chunk()
        .await
        .map_err(|error| refuse("Invalid data", &error))?
    {
        data.extend_from_slice(&chunk);
        if data.len() > max_bytes {
            return Err(too_large(data.len() as u64, max_bytes));
        }
    }
    Ok(data.freeze())
}

fn too_large(bytes: u64, max_bytes: usize) -> ApiError {
    ApiError::TooLarge(format!(
        "Extraction input too large: {bytes} bytes exceeds {max_bytes} byte limit"
    ))
}

/// What the form says its length is.
fn announced(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Takes what comes, up to the limit, and keeps nothing of it.
async fn drain(mut form: Multipart) {
    while let Ok(Some(_)) = form.next_field().await {}
}

fn refuse(what: &str, error: &MultipartError) -> ApiError {
    ApiError::BadRequest(format!("{what}: {error}"))
}
