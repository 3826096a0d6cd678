//! Lists text that was lost from a run's files, and text that Omni would lose: one line per reason, with the first
//! files. The summary lists files without any text separately.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use console::style;
use indicatif::HumanCount;
use serde::Serialize;

use super::output::printable;
use crate::extract::{FileNote, FileNoteKind};

/// The number of files named per reason.
const NAMED: usize = 3;

/// The notes of one run.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct FileNotes(pub(super) Vec<FileNote>);

impl FileNotes {
    /// Returns the number of files of which a part was left out.
    pub(super) fn partly_read(&self) -> u64 {
        let notes = self.0.iter();
        let partly = notes.filter(|note| note.kind == FileNoteKind::Partly);
        let files: BTreeSet<_> = partly.map(|note| note.file.as_str()).collect();
        files.len() as u64
    }
}

impl fmt::Display for FileNotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, title) in [
            (FileNoteKind::Partly, "parts of files that are left out:"),
            (
                FileNoteKind::OmniLoses,
                "found here, and Omni will not see:",
            ),
        ] {
            let mut reasons: BTreeMap<&str, Vec<&FileNote>> = BTreeMap::new();
            for note in self.0.iter().filter(|note| note.kind == kind) {
                reasons.entry(&note.reason).or_default().push(note);
            }
            if !reasons.is_empty() {
                writeln!(f, "\n{title}")?;
            }
            let mut reasons: Vec<_> = reasons.into_iter().collect();
            reasons.sort_by_key(|(_, notes)| std::cmp::Reverse(notes.len()));
            for (reason, notes) in reasons {
                let count = HumanCount(notes.len() as u64).to_string();
                writeln!(f, "  {count:>7}  {}", printable(reason))?;
                for note in notes.iter().take(NAMED) {
                    let file = printable(&note.file);
                    let line = match &note.part {
                        Some(part) => format!("{file}: {}", printable(part)),
                        None => file,
                    };
                    writeln!(f, "           {}", style(line).dim())?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_one_line_with_a_count_and_the_first_files() {
        let note = |file: &str| FileNote {
            file: file.to_owned(),
            kind: FileNoteKind::Partly,
            part: None,
            reason: "its reader ended".to_owned(),
        };
        let notes = FileNotes(
            ["a.pdf", "b\u{1b}[31m.pdf", "c.pdf", "d.pdf"]
                .map(note)
                .to_vec(),
        );
        let text = console::strip_ansi_codes(&notes.to_string()).into_owned();
        assert_eq!(
            text,
            "\nparts of files that are left out:\n        4  its reader ended\n           a.pdf\n           b [31m.pdf\n           c.pdf\n"
        );
    }
}
