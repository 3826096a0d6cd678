//! Extracts text from files by their type (`protocol.md` §3.5).
//!
//! Each file is read by a separate process, `omni-readers`, with limits on time, memory and output.
//! A file must never crash the manager or keep a permit. Text read before a limit or a fault is
//! kept.

mod child;
mod notes;
mod program;

use std::time::{Duration, Instant};

use bytes::Bytes;
use omni_connector_readers::{Format, Job};

use crate::options::ExtractionLimits;
use child::{End, Reading, read};
pub(crate) use notes::Notes;
pub use notes::{FileNote, FileNoteKind};
use program::Program;
pub(crate) use program::Readers;

/// Replaces the text of a PDF that could not be read.
const PDF_FAILURE: &str = "[Text extraction failed for this PDF. The document was skipped for extracted-text indexing because no text could be extracted.]";
/// How often the program is restarted for one file after a part crashed it.
const RESTARTS: usize = 16;
/// Divides a file's time limit into the time that one part may take without output. This leaves
/// time for the remaining pages.
const PATIENCE: u32 = 4;

/// A file to read.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) mime_type: String,
    pub(crate) name: Option<String>,
    pub(crate) data: Bytes,
}

/// Why a file has no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExtractError {
    #[error("Failed to read DOCX")]
    Docx,
    #[error("Failed to read PPTX as ZIP")]
    Pptx,
    #[error("Failed to read XLSX as ZIP")]
    Xlsx,
    #[error("Failed to parse EML file")]
    Eml,
    #[error("Failed to parse MSG file: {0}")]
    Msg(String),
    #[error("{0}")]
    NoReaders(String),
}

/// The result of reading a file.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) text: Result<String, ExtractError>,
    pub(crate) notes: Vec<FileNote>,
}

impl File {
    /// Reads the file. Dropping the future kills the reader process.
    pub(crate) async fn read(self, readers: &Readers, limits: &ExtractionLimits) -> Outcome {
        let file = self.name.clone().unwrap_or_else(|| self.mime_type.clone());
        let mut notes = Vec::new();
        let mut unread = |reason: String| {
            notes.push(FileNote::unread(&file, reason));
        };
        let format = Format::of(&self.mime_type, self.name.as_deref());
        let text = match format {
            None => {
                unread(format!("nothing of `{}` could be read", self.mime_type));
                Ok(String::new())
            }
            Some(Format::UnreadPdf) => {
                unread("Omni reads nothing of the type `application/x-pdf`".to_owned());
                Ok(PDF_FAILURE.to_owned())
            }
            Some(Format::Text) if let Some(text) = plain(&self.data) => Ok(text.to_owned()),
            Some(format) => match readers.program(limits).await {
                Err(why) => {
                    unread(why.clone());
                    Err(ExtractError::NoReaders(why))
                }
                Ok(program) => {
                    let reading = self.with(&program, format, limits).await;
                    notes = reading.notes(&file);
                    reading.answer(format)
                }
            },
        };
        for note in &notes {
            note.log();
        }
        Outcome { text, notes }
    }

    /// Reads with the program and restarts it after a part that crashed it.
    async fn with(self, program: &Program, format: Format, limits: &ExtractionLimits) -> Reading {
        let until = Instant::now() + limits.max_time;
        let mut reading = Reading::default();
        for _ in 0..=RESTARTS {
            let left = until.saturating_duration_since(Instant::now());
            let job = Job {
                format,
                first_part: reading.next_part,
                max_rows: limits.max_rows,
                max_text_bytes: limits.max_text_bytes.saturating_sub(reading.text.len()),
                max_memory_bytes: limits.max_memory_bytes,
                max_seconds: (left + Duration::from_secs(2)).as_secs(),
            };
            let silence = limits.max_time / PATIENCE;
            let end = read(
                program,
                &job,
                self.data.clone(),
                until,
                silence,
                &mut reading,
            )
            .await;
            let is_over = matches!(end, End::Done | End::Failed(_) | End::Late);
            let begun = reading.ended(end, limits);
            if is_over || !begun || reading.text.len() > limits.max_text_bytes {
                break;
            }
        }
        reading
    }
}

impl Reading {
    /// Returns the answer to the connector. Omni's answer to a file without text depends on its
    /// type.
    fn answer(self, format: Format) -> Result<String, ExtractError> {
        match (format, self.failure) {
            (Format::Pdf, _) if self.text.trim().is_empty() => Ok(PDF_FAILURE.to_owned()),
            (_, Some(why)) if self.text.trim().is_empty() => match format {
                Format::Docx => Err(ExtractError::Docx),
                Format::Pptx => Err(ExtractError::Pptx),
                Format::Xlsx => Err(ExtractError::Xlsx),
                Format::Eml => Err(ExtractError::Eml),
                Format::Msg => Err(ExtractError::Msg(why)),
                _ => Ok(String::new()),
            },
            _ => Ok(self.text),
        }
    }
}

/// Returns text that needs no reader.
fn plain(data: &[u8]) -> Option<&str> {
    const RTF: &str = "{\\rtf";
    let text = std::str::from_utf8(data).ok()?;
    let is_plain = !text.starts_with(RTF)
        && !text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace());
    is_plain.then_some(text)
}
