//! `POST /sdk/extract-content` and `/sdk/extract-text` (`protocol.md` §3.5). The permit is taken before the body is read.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
};
use axum_extra::extract::{
    Multipart,
    multipart::{Field, MultipartError},
};
use bytes::{Bytes, BytesMut};
use omni_connector::wire::ContentId;
use serde_json::{Value, json};

use crate::{
    rules::{self, FileToRead, Reading, Refusal},
    shared::Shared,
};

/// How long a refused client may keep sending. Closing the connection earlier would lose the answer.
const LINGER: Duration = Duration::from_secs(30);

pub(super) async fn stored(
    State(shared): State<Shared>,
    headers: HeaderMap,
    form: Multipart,
) -> Result<Json<ContentId>, Refusal> {
    let reading = Reading::begin(&shared)?;
    let file = file(&shared, &headers, form).await?;
    let content_id = rules::store_file(&shared, reading, file).await?;
    Ok(Json(ContentId::new(content_id)))
}

pub(super) async fn returned(
    State(shared): State<Shared>,
    headers: HeaderMap,
    form: Multipart,
) -> Result<Json<Value>, Refusal> {
    let reading = Reading::begin(&shared)?;
    let file = file(&shared, &headers, form).await?;
    let text = rules::text_of_file(&shared, reading, file).await?;
    Ok(Json(json!({ "text": text })))
}

/// Reads the form. Refuses a too large announced length before reading.
async fn file(
    shared: &Shared,
    headers: &HeaderMap,
    form: Multipart,
) -> Result<FileToRead, Refusal> {
    let max_bytes = shared.options.extraction.max_input_bytes;
    if let Some(announced) = announced(headers)
        && announced > super::form_bytes(max_bytes) as u64
    {
        tokio::spawn(tokio::time::timeout(LINGER, drain(form)));
        return Err(too_large(announced, max_bytes));
    }
    read(form, max_bytes).await
}

/// Parses the form. The last of a repeated field counts; unknown fields are skipped.
async fn read(mut form: Multipart, max_bytes: usize) -> Result<FileToRead, Refusal> {
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
    let missing = |name: &str| Refusal::BadRequest(format!("Missing {name}"));
    Ok(FileToRead {
        sync_run_id: sync_run_id.ok_or_else(|| missing("sync_run_id"))?,
        mime_type: mime_type.ok_or_else(|| missing("mime_type"))?,
        data: data.ok_or_else(|| missing("data"))?,
        filename,
    })
}

async fn text(field: Field, name: &str) -> Result<String, Refusal> {
    field
        .text()
        .await
        .map_err(|error| refuse(&format!("Invalid {name}"), &error))
}

async fn bytes(mut field: Field, max_bytes: usize) -> Result<Bytes, Refusal> {
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

fn too_large(bytes: u64, max_bytes: usize) -> Refusal {
    Refusal::TooLarge(format!(
        "Extraction input too large: {bytes} bytes exceeds {max_bytes} byte limit"
    ))
}

/// Returns the announced length of the form.
fn announced(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Reads and discards a form, up to the limit.
async fn drain(mut form: Multipart) {
    while let Ok(Some(_)) = form.next_field().await {}
}

fn refuse(what: &str, error: &MultipartError) -> Refusal {
    Refusal::BadRequest(format!("{what}: {error}"))
}
