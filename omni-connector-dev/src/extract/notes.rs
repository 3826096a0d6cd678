//! Notes for people about the files that were read. Every omission must be reported here.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

/// Number of runs whose notes are kept.
const RUNS: usize = 16;
/// Number of notes of each kind kept for each run.
const NOTES: usize = 1000;

/// A note for people about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNote {
    /// The file's name, or its media type when the connector sent no name.
    pub file: String,
    /// The kind of note.
    pub kind: FileNoteKind,
    /// The part of the file, such as `page 3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Why text is missing, or which text Omni loses.
    pub reason: String,
}

/// Kinds of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileNoteKind {
    /// The file has no text.
    Unread,
    /// A part of the file was omitted.
    Partly,
    /// This manager finds text that Omni's own extraction loses.
    OmniLoses,
}

impl FileNote {
    pub(crate) fn unread(file: &str, reason: String) -> Self {
        Self {
            file: file.to_owned(),
            kind: FileNoteKind::Unread,
            part: None,
            reason,
        }
    }

    /// Reports a text of which only the first `limit` bytes are kept.
    pub(crate) fn cut(file: String, limit: usize) -> Self {
        Self {
            file,
            kind: FileNoteKind::Partly,
            part: Some("the end".to_owned()),
            reason: format!("Omni keeps the first {limit} bytes of a text"),
        }
    }

    pub(crate) fn log(&self) {
        let Self {
            file, part, reason, ..
        } = self;
        let part = part.as_deref().unwrap_or_default();
        match self.kind {
            FileNoteKind::Unread => tracing::warn!(%file, %reason, "a file has no text"),
            FileNoteKind::Partly => {
                tracing::warn!(%file, %part, %reason, "a part of a file is left out");
            }
            FileNoteKind::OmniLoses => tracing::info!(%file, "Omni will not see {reason}"),
        }
    }
}

/// The notes of the latest runs.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<VecDeque<(String, Vec<FileNote>)>>);

impl Notes {
    pub(crate) fn add(&self, run: &str, notes: &[FileNote]) {
        if notes.is_empty() {
            return;
        }
        let mut runs = self.lock();
        if !runs.iter().any(|(known, _)| known == run) {
            runs.truncate(RUNS - 1);
            runs.push_front((run.to_owned(), Vec::new()));
        }
        for (_, kept) in runs.iter_mut().filter(|(known, _)| known == run) {
            for note in notes {
                // Many notes of one kind must not hide that there are any of another.
                let alike = kept.iter().filter(|kept| kept.kind == note.kind);
                if alike.count() < NOTES {
                    kept.push(note.clone());
                }
            }
        }
    }

    pub(crate) fn of(&self, run: &str) -> Vec<FileNote> {
        let runs = self.lock();
        let found = runs.iter().find(|(known, _)| known == run);
        found.map(|(_, notes)| notes.clone()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Vec<FileNote>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
