//! The language between the manager and the program: a [`Job`] as its argument, the file on its standard input, and one
//! [`Frame`] a line on its standard output. Frames are sent as the file is read, so that whatever ends the program takes
//! no text with it that was read before.

use serde::{Deserialize, Serialize};

use crate::Format;

/// What is to be read, and what it may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The file's format.
    pub format: Format,
    /// The first part to read, counted from 0; those before it were read already, or ended the program.
    pub first_part: usize,
    /// Rows kept of a spreadsheet.
    pub max_rows: usize,
    /// Text beyond this is cut by the manager, so reading may stop there.
    pub max_text_bytes: usize,
    /// Address space that the program may take.
    pub max_memory_bytes: u64,
    /// Seconds of processor time that it may take.
    pub max_seconds: u64,
}

/// One line of what the program says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case")]
pub enum Frame {
    /// A part begins: a page, a slide, a sheet.
    Part {
        /// Its place, counted from 0.
        index: usize,
        /// Its name for people, such as `page 3`.
        name: String,
    },
    /// Text that was read.
    Text {
        /// The text.
        text: String,
    },
    /// Something of the file is left out.
    Lost {
        /// What is left out, such as `page 3`.
        what: String,
        /// Why.
        why: String,
    },
    /// Text was read that Omni's own extraction loses.
    OmniLoses {
        /// What it is, such as `footnotes`.
        what: String,
    },
    /// The file was read to its end, or as far as was asked.
    Done,
    /// The file cannot be read at all.
    Failed {
        /// Why.
        why: String,
    },
}
