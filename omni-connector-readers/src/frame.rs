//! The protocol between the manager and the program: a [`Job`] as argument, the file on standard
//! input, and one [`Frame`] a line on standard output. Frames are sent while the file is read, so a
//! crash never loses text read before it.

use serde::{Deserialize, Serialize};

use crate::Format;

/// The file to read and the limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The file's format.
    pub format: Format,
    /// First part to read, counted from 0. Earlier parts were read already or crashed the program.
    pub first_part: usize,
    /// Most rows read from a spreadsheet.
    pub max_rows: usize,
    /// Most bytes of text. The manager cuts the rest, so reading may stop there.
    pub max_text_bytes: usize,
    /// Largest address space of the program, in bytes.
    pub max_memory_bytes: u64,
    /// Most processor time, in seconds.
    pub max_seconds: u64,
}

/// One line of the program's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case")]
pub enum Frame {
    /// A part begins: a page, a slide, a sheet.
    Part {
        /// Its index, counted from 0.
        index: usize,
        /// Its name for people, such as `page 3`.
        name: String,
    },
    /// Text that was read.
    Text {
        /// The text.
        text: String,
    },
    /// A part of the file was omitted.
    Lost {
        /// The omitted part, such as `page 3`.
        what: String,
        /// Why.
        why: String,
    },
    /// Text was read that Omni's own extraction loses.
    OmniLoses {
        /// The kind of text, such as `footnotes`.
        what: String,
    },
    /// The file was read to its end, or up to a limit.
    Done,
    /// The file cannot be read at all.
    Failed {
        /// Why.
        why: String,
    },
}
