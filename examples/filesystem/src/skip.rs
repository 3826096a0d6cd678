//! What is left out, and why. Whatever a tree holds ends here or as a document.

use std::{fmt::Display, io};

pub(crate) const NOT_UTF8_NAME: &str = "the name is not UTF-8";
pub(crate) const LONG_PATH: &str = "the path is longer than an id of Omni";
pub(crate) const EXCLUDED: &str = "left out by `exclude_patterns`";
pub(crate) const OTHER_EXTENSION: &str = "left out by `file_extensions`";
pub(crate) const TOO_LARGE: &str = "larger than `max_file_size_bytes`";
pub(crate) const LINK: &str = "a link, which is not followed";
pub(crate) const NOT_A_FILE: &str = "a pipe, socket or device";
pub(crate) const NO_TEXT: &str = "no text in this format";
pub(crate) const OTHER_ENCODING: &str = "text in another encoding than UTF-8";
const UNREADABLE: &str = "cannot be read";
const VANISHED: &str = "vanished while it was read";
const CHANGED: &str = "changed while it was read";

/// A file or folder that becomes no document now.
#[derive(Debug)]
pub(crate) struct Skip {
    /// Its path below the base.
    pub(crate) item: String,
    pub(crate) reason: &'static str,
    pub(crate) detail: String,
    /// Whether documents of it and below it stay: it is there, and only could not be read.
    pub(crate) keeps_documents: bool,
}

/// Why a file was not read.
#[derive(Debug)]
pub(crate) enum Obstacle {
    /// It has nothing for the source.
    Unwanted(&'static str),
    /// It was written to, or replaced, meanwhile.
    Changed,
    Failed(io::Error),
}

impl From<io::Error> for Obstacle {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Skip {
    /// Something that does not belong to the source. A document that an earlier run made of it is deleted.
    pub(crate) fn unwanted(item: impl Into<String>, reason: &'static str) -> Self {
        let (item, detail) = (item.into(), String::new());
        Self {
            item,
            reason,
            detail,
            keeps_documents: false,
        }
    }

    /// Something that could not be read now, and may be another time.
    pub(crate) fn unread(item: impl Into<String>, obstacle: Obstacle) -> Self {
        let item = item.into();
        let (reason, detail) = match obstacle {
            Obstacle::Unwanted(reason) => return Self::unwanted(item, reason),
            Obstacle::Changed => (CHANGED, String::new()),
            Obstacle::Failed(error) if error.kind() == io::ErrorKind::NotFound => {
                (VANISHED, String::new())
            }
            Obstacle::Failed(error) => (UNREADABLE, error.to_string()),
        };
        Self {
            item,
            reason,
            detail,
            keeps_documents: true,
        }
    }

    pub(crate) fn detail(self, detail: impl Display) -> Self {
        Self {
            detail: detail.to_string(),
            ..self
        }
    }
}
