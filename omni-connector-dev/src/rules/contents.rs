//! Texts and files (`protocol.md` §3.5): normalises, truncates and stores each once. Records
//! activity of the run but must never check its state.

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::Refusal;
use crate::{
    extract::{self, FileNote, FileNoteKind},
    shared::Shared,
    store::{
        StoreError, contents, runs,
        text::{normalise, truncate},
        textless::{self, TextlessFile},
    },
};

/// A file that a connector sent.
#[derive(Debug)]
pub(crate) struct FileToRead {
    pub(crate) sync_run_id: String,
    pub(crate) mime_type: String,
    pub(crate) filename: Option<String>,
    pub(crate) data: Bytes,
}

/// A permit to read one file, acquired before the request body is read.
#[derive(Debug)]
pub(crate) struct Reading {
    _permit: OwnedSemaphorePermit,
}

impl Reading {
    /// Acquires a permit. Refuses when the limit of concurrent files is reached.
    pub(crate) fn begin(shared: &Shared) -> Result<Self, Refusal> {
        let permit = shared.extraction.clone().try_acquire_owned();
        permit
            .map(|permit| Self { _permit: permit })
            .map_err(|_| Refusal::Busy(shared.options.extraction.retry_after))
    }
}

/// Stores a text and returns its id.
pub(crate) async fn store_text(
    shared: &Shared,
    run: String,
    text: &str,
) -> Result<String, Refusal> {
    let mut text = normalise(text);
    let limit = shared.options.extraction.max_text_bytes;
    if truncate(&mut text, limit) {
        note_cut(shared, &run, beginning(&text), limit);
    }
    put(shared, run, text).await
}

/// Stores a file's text and returns its id.
pub(crate) async fn store_file(
    shared: &Shared,
    reading: Reading,
    file: FileToRead,
) -> Result<String, Refusal> {
    let run = file.sync_run_id.clone();
    let text = read_and_note(shared, reading, file).await?;
    put(shared, run, text).await
}

/// Returns a file's text without storing it.
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

/// Reads a file's text and, if it has none, adds a note for people.
async fn read_and_note(
    shared: &Shared,
    reading: Reading,
    file: FileToRead,
) -> Result<String, Refusal> {
    let run = file.sync_run_id.clone();
    let (text, notes) = read(shared, reading, file).await?;
    let unread = notes
        .into_iter()
        .find(|note| note.kind == FileNoteKind::Unread);
    let Some(FileNote {
        file: name, reason, ..
    }) = unread
    else {
        return Ok(text);
    };
    let file = TextlessFile { name, reason };
    let note = move |db: &rusqlite::Transaction<'_>| textless::note(db, &run, &file);
    shared.store.write(note).await?;
    Ok(text)
}

/// Stores a normalised text.
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

/// Reads a file's text, truncates it, then normalises it. Also returns notes for people.
async fn read(
    shared: &Shared,
    reading: Reading,
    file: FileToRead,
) -> Result<(String, Vec<FileNote>), Refusal> {
    let limits = &shared.options.extraction;
    let run = file.sync_run_id;
    let file = extract::File {
        mime_type: file.mime_type,
        name: file.filename.filter(|name| !name.is_empty()),
        data: file.data,
    };
    let name = file.name.as_ref().unwrap_or(&file.mime_type).clone();
    let outcome = file.read(&shared.readers, limits).await;
    drop(reading);
    let mut notes = outcome.notes;
    let is_blank = outcome
        .text
        .as_ref()
        .is_ok_and(|text| text.trim().is_empty());
    if is_blank && notes.iter().all(|note| note.kind != FileNoteKind::Unread) {
        // A plain text goes through no reader.
        notes.push(FileNote::unread(&name, "there is no text in it".to_owned()));
    }
    shared.file_notes.add(&run, &notes);
    let mut text = outcome
        .text
        .map_err(|error| Refusal::Internal(format!("Content extraction failed: {error}")))?;
    if truncate(&mut text, limits.max_text_bytes) {
        note_cut(shared, &run, name, limits.max_text_bytes);
    }
    Ok((normalise(&text), notes))
}

/// Notes for people that a text was cut. Omni only says so in the text itself.
fn note_cut(shared: &Shared, run: &str, name: String, limit: usize) {
    let note = FileNote::cut(name, limit);
    note.log();
    shared.file_notes.add(run, &[note]);
}

/// Names a text of which nothing else is known.
fn beginning(text: &str) -> String {
    const LENGTH: usize = 40;
    let words: Vec<_> = text.split_whitespace().take(LENGTH).collect();
    let beginning: String = words.join(" ").chars().take(LENGTH).collect();
    format!("the text `{beginning}…`")
}
