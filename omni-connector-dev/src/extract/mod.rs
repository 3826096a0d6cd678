//! Text out of files, by their type (`protocol.md` §3.5). A file decides nothing beyond its own text: readers that panic,
//! nest too deep or inflate without end fail alone.

mod biff;
mod html;
mod mail;
mod office;
mod pdf;
mod sheet;

use std::{io, thread, time::Instant};

use bytes::Bytes;
use tokio::{sync::oneshot, time::timeout_at};

/// The name of threads that may panic: what they read is none of ours.
pub(crate) const EXTRACTION_THREAD: &str = "extract";
/// Enough for readers that recurse into a well-meant file; one that goes deeper is refused by its reader.
const STACK: usize = 64 << 20;
/// Longest part of an archive that is looked at, inflated.
const LONGEST_PART: u64 = if cfg!(test) { 1 << 20 } else { 128 << 20 };

/// What is to be read.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) mime_type: String,
    pub(crate) name: Option<String>,
    pub(crate) data: Bytes,
    /// Rows kept of a spreadsheet.
    pub(crate) max_rows: usize,
    /// Text beyond this will be cut, so a reader may stop there.
    pub(crate) max_text_bytes: usize,
    /// When the caller stops waiting, so a reader may stop, too.
    pub(crate) until: Instant,
}

/// Why there is no text.
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
    #[error("no thread to extract in: {0}")]
    Thread(String),
}

impl File {
    /// Its text, read on a thread of its own that holds `permit` until it is done.
    pub(crate) async fn text(self, permit: impl Send + 'static) -> Result<String, ExtractError> {
        let (answer, answered) = oneshot::channel();
        let (format, until) = (self.format(), self.until);
        thread::Builder::new()
            .name(EXTRACTION_THREAD.to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let text = self.read(format);
                drop(permit);
                // A caller that went away needs no text.
                let _ = answer.send(text);
            })
            .map_err(|error: io::Error| ExtractError::Thread(error.to_string()))?;
        match timeout_at(until.into(), answered).await {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => failed(format, "its reader gave up"),
            Err(_) => failed(format, "reading it took too long"),
        }
    }

    fn format(&self) -> Option<Format> {
        if self.mime_type == "application/octet-stream" {
            Format::of_name(self.name.as_deref()?)
        } else {
            Format::of_type(&self.mime_type)
        }
    }

    fn read(&self, format: Option<Format>) -> Result<String, ExtractError> {
        let text = || String::from_utf8_lossy(&self.data);
        match format {
            Some(Format::Text) => Ok(text().into_owned()),
            Some(Format::Html) => Ok(html::to_markdown(&text())),
            Some(Format::Csv) => Ok(sheet::csv(&text(), self.max_rows)),
            Some(Format::Pdf) => Ok(pdf::text(&self.data, self.until)),
            Some(Format::NotedPdf) => Ok(pdf::FAILURE.to_owned()),
            Some(Format::Docx) => office::docx(&self.data, self.max_text_bytes),
            Some(Format::Pptx) => office::pptx(&self.data, self.max_text_bytes),
            Some(Format::Xlsx) => sheet::xlsx(&self.data, self.max_rows, self.until),
            Some(Format::Xls) => Ok(sheet::xls(&self.data, self.max_rows)),
            Some(Format::Eml) => mail::eml(&self.data),
            Some(Format::Msg) => mail::msg(&self.data),
            None => Ok(String::new()),
        }
    }
}

/// What a file without a readable text is answered: some types never fail.
fn failed(format: Option<Format>, why: &str) -> Result<String, ExtractError> {
    tracing::warn!(?format, "a file has no text: {why}");
    match format {
        Some(Format::Pdf | Format::NotedPdf) => Ok(pdf::FAILURE.to_owned()),
        Some(Format::Docx) => Err(ExtractError::Docx),
        Some(Format::Pptx) => Err(ExtractError::Pptx),
        Some(Format::Xlsx) => Err(ExtractError::Xlsx),
        Some(Format::Eml) => Err(ExtractError::Eml),
        Some(Format::Msg) => Err(ExtractError::Msg(why.to_owned())),
        Some(Format::Text | Format::Html | Format::Csv | Format::Xls) | None => Ok(String::new()),
    }
}

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Html,
    Csv,
    Pdf,
    /// Known by a name that is never read: its text says so.
    NotedPdf,
    Docx,
    Pptx,
    Xlsx,
    Xls,
    Eml,
    Msg,
}

impl Format {
    /// By the exact type: no parameters, no other case.
    fn of_type(mime_type: &str) -> Option<Self> {
        Some(match mime_type {
            "text/plain" | "text/markdown" => Self::Text,
            "text/html" => Self::Html,
            "text/csv" => Self::Csv,
            "application/pdf" => Self::Pdf,
            "application/x-pdf" => Self::NotedPdf,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Self::Docx,
            "application/vnd.openxmlformats-officedocument.presentationml.presentation" => {
                Self::Pptx
            }
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => Self::Xlsx,
            "application/vnd.ms-excel" => Self::Xls,
            "message/rfc822" => Self::Eml,
            "application/vnd.ms-outlook" => Self::Msg,
            _ => return None,
        })
    }

    /// By the extension, or by the whole name when it has no dot.
    fn of_name(name: &str) -> Option<Self> {
        let extension = name.rsplit('.').next().unwrap_or(name);
        Some(match extension.to_ascii_lowercase().as_str() {
            "txt" | "md" | "markdown" => Self::Text,
            "html" | "htm" => Self::Html,
            "csv" => Self::Csv,
            "pdf" => Self::Pdf,
            "docx" => Self::Docx,
            "pptx" => Self::Pptx,
            "xlsx" => Self::Xlsx,
            "xls" => Self::Xls,
            "eml" => Self::Eml,
            "msg" => Self::Msg,
            _ => return None,
        })
    }
}
