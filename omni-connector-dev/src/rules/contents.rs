//! Texts and files (`protocol.md` §3.5): normalised, cut and stored once. A run is touched, not checked.

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::Refusal;
use crate::{
    shared::Shared,
    store::{
        StoreError, contents, runs,
        text::{normalise, truncate},
        textless::{self, TextlessFile},
    },
};

/// How the text begins that stands for one that could not be read (`protocol.md` §3.5).
const FAILURE: &str = "[Text extraction failed";

/// A file that a connector sent.
#[derive(Debug)]
pub(crate) struct FileToRead {
    pub(crate) sync_run_id: String,
    pub(crate) mime_type: String,
    pub(crate) filename: Option<String>,
    pub(crate) data: Bytes,
}

/// The right to have one file read, taken before its body is.
#[derive(Debug)]
pub(crate) struct Reading(OwnedSemaphorePermit);

impl Reading {
    /// Refused while as many files are read as may be.
    pub(crate) fn begin(shared: &Shared) -> Result<Self, Refusal> {
        let permit = shared.extraction.clone().try_acquire_owned();
        permit
            .map(Self)
            .map_err(|_| Refusal::Busy(shared.options.extraction.retry_after))
    }
}

/// Stores a text and gives its id.
pub(crate) async fn store_text(
    shared: &Shared,
    run: String,
    text: &str,
) -> Result<String, Refusal> {
    let mut text = normalise(text);
    truncate(&mut text, shared.options.extraction.max_text_bytes);
    put(shared, run, text).await
}

/// Stores the text of a file and gives its id.
pub(crate) async fn store_file(
    shared: &Shared,
    reading: Reading,
    file: FileToRead,
) -> Result<String, Refusal> {
    let run = file.sync_run_id.clone();
    let text = read_and_note(shared, reading, file).await?;
    put(shared, run, text).await
}

/// The text of a file, which is not stored.
pub(crate) async fn text_of_file(
    shared: &Shared,
    reading: Reading,
    file: FileToRead,
) -> Result<String, Refusal> {
    let run = file.sync_run_id.clone();
    let text = read_and_note(shared, reading, file).await?;
    shared.store.write(move |db| runs::touch(db, &run)).await?;
    Ok(text)
}

/// The text of a file, and a note for the person at home when there is none.
async fn read_and_note(
    shared: &Shared,
    reading: Reading,
    file: FileToRead,
) -> Result<String, Refusal> {
    let run = file.sync_run_id.clone();
    let mime_type = file.mime_type.clone();
    let name = file.filename.clone().filter(|name| !name.is_empty());
    let text = read(shared, reading, file).await?;
    let reason = if text.is_empty() {
        format!("nothing of `{mime_type}` could be read")
    } else if text.starts_with(FAILURE) {
        "its text could not be read, and Omni stores a notice in its place".to_owned()
    } else {
        return Ok(text);
    };
    let name = name.unwrap_or(mime_type);
    let file = TextlessFile { name, reason };
    let note = move |db: &rusqlite::Transaction<'_>| textless::note(db, &run, &file);
    shared.store.write(note).await?;
    Ok(text)
}

/// Stores a text that was normalised before.
async fn put(shared: &Shared, run: String, text: String) -> Result<String, Refusal> {
    shared
        .store
        .write(move |db| {
            runs::touch(db, &run)?;
            contents::put(db, &run, &text)
        })
        .await
        .map_err(|error: StoreError| Refusal::Internal(format!("Failed to store content: {error}")))
}

/// The text of a file, cut first and normalised afterwards.
#[cfg(feature = "extract")]
async fn read(
    shared: &Shared,
    Reading(permit): Reading,
    file: FileToRead,
) -> Result<String, Refusal> {
    let limits = &shared.options.extraction;
    let file = crate::extract::File {
        mime_type: file.mime_type,
        name: file.filename,
        data: file.data,
        max_rows: limits.max_rows,
        max_text_bytes: limits.max_text_bytes,
        until: std::time::Instant::now() + limits.max_time,
    };
    let mut text = file
        .text(permit)
        .await
        .map_err(|error| Refusal::Internal(format!("Content extraction failed: {error}")))?;
    truncate(&mut text, limits.max_text_bytes);
    Ok(normalise(&text))
}

/// Without readers no file has a text, and the connector learns why.
#[cfg(not(feature = "extract"))]
async fn read(_: &Shared, reading: Reading, file: FileToRead) -> Result<String, Refusal> {
    drop(reading.0);
    Err(Refusal::Internal(format!(
        "Content extraction failed: this development manager was built without readers, and `{}` ({}, {} bytes) needs one\n\
         help: build `omni-connector-dev` with its feature `extract`",
        file.filename.as_deref().unwrap_or_default(),
        file.mime_type,
        file.data.len(),
    )))
}
