//! Notes for people about the files that were read. Every omission must be reported here.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

/// Number of runs whose notes are kept.
const RUNS: usize = 16;
/// Number of notes kept for each run.
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
    pub(super) fn unread(file: &str, reason: String) -> Self {
        Self {
            file: file.to_owned(),
            kind: FileNoteKind::Unread,
            part: None,
            reason,
        }
    }

    pub(super) fn log(&self) {
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
            let room = NOTES.saturating_sub(kept.len());
            kept.extend(notes.iter().take(room).cloned());
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
