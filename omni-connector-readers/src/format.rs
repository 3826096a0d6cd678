//! Known file formats, and detection of a file's format.

use serde::{Deserialize, Serialize};

/// A format that is read, or that is recognised and answered without reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Plain text and Markdown.
    Text,
    /// HTML, which becomes Markdown.
    Html,
    /// Lines whose cells are separated by TAB or `|`.
    Csv,
    /// PDF.
    Pdf,
    /// PDF under a media type that Omni never reads.
    UnreadPdf,
    /// Word documents.
    Docx,
    /// Presentations.
    Pptx,
    /// Workbooks.
    Xlsx,
    /// Workbooks of the old format, and other files that programs name `.xls`.
    Xls,
    /// Internet messages.
    Eml,
    /// Messages of Outlook.
    Msg,
}

impl Format {
    /// Returns a file's format by its exact media type. `application/octet-stream` uses the name.
    pub fn of(mime_type: &str, name: Option<&str>) -> Option<Self> {
        if mime_type == "application/octet-stream" {
            return Self::of_name(name?);
        }
        Some(match mime_type {
            "text/plain" | "text/markdown" => Self::Text,
            "text/html" => Self::Html,
            "text/csv" => Self::Csv,
            "application/pdf" => Self::Pdf,
            "application/x-pdf" => Self::UnreadPdf,
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

    /// Returns the format by the extension, or by the whole name when it has no dot.
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
