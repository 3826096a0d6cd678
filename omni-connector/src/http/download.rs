//! Answers too large for memory: streamed, or saved in a temporary file.

use std::{
    fmt,
    fs::File,
    io::{self, Write},
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use reqwest::header::{CONTENT_LENGTH, HeaderMap};

use super::{SourceError, answer::media_type};

/// A streamed answer. A failure midway is an error of the stream, so a partial answer is never mistaken for the whole.
pub struct Download {
    pub(super) headers: HeaderMap,
    pub(super) chunks: BoxStream<'static, Result<Bytes, SourceError>>,
}

impl Download {
    /// Returns the media type that the source gives, in lower case and without parameters; empty without one.
    pub fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// Returns the length that the source announces.
    pub fn length(&self) -> Option<u64> {
        length(&self.headers)
    }

    /// Returns all headers.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl Stream for Download {
    type Item = Result<Bytes, SourceError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("media_type", &self.media_type())
            .finish_non_exhaustive()
    }
}

/// An answer in a temporary file, which is removed when this is dropped.
#[derive(Debug)]
pub struct Saved {
    file: tempfile::NamedTempFile,
    length: u64,
    headers: HeaderMap,
}

impl Saved {
    pub(super) fn begin(headers: HeaderMap) -> io::Result<Self> {
        Ok(Self {
            file: tempfile::NamedTempFile::new()?,
            length: 0,
            headers,
        })
    }

    pub(super) fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.length += chunk.len() as u64;
        self.file.write_all(chunk)
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Opens the file from its beginning.
    ///
    /// # Errors
    /// Somebody removed it.
    pub fn open(&self) -> io::Result<File> {
        self.file.reopen()
    }

    /// Returns its bytes.
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Returns whether it has no bytes.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Returns the media type that the source gives, in lower case and without parameters; empty without one.
    pub fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// Returns all headers of the answer.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}
