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
use crate::manager::Data;

/// A streamed answer. A failure midway is an error of the stream, so a partial answer is never mistaken for the whole.
pub struct Download {
    pub(super) headers: HeaderMap,
    pub(super) chunks: BoxStream<'static, Result<Bytes, SourceError>>,
}

impl Download {
    /// Returns the source's media type, in lower case and without parameters; empty if it is missing.
    pub fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// Returns the announced length.
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

/// An answer in a temporary file, which is removed when the value is dropped.
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

    /// Opens the file for reading from its start.
    ///
    /// # Errors
    /// Returns an error if the file was removed.
    pub fn open(&self) -> io::Result<File> {
        self.file.reopen()
    }

    /// Returns its length in bytes.
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Returns whether it is empty.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Returns the source's media type, in lower case and without parameters; empty if it is missing.
    pub fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// Returns the file as a stream of bytes for extraction. The file is removed when the stream is dropped.
    ///
    /// ```
    /// # async fn example(api: omni_connector::http::Api, ctx: omni_connector::SyncContext) -> anyhow::Result<()> {
    /// let file = api.get("files/7").save(50 << 20).await?;
    /// let text = ctx.extract_text(file.into_data(), "application/pdf", None).await?;
    /// # let _ = text;
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_data(self) -> Data {
        let length = self.length;
        Data::file(length, move || self.open())
    }

    /// Returns all headers of the answer.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl From<Saved> for Data {
    fn from(saved: Saved) -> Self {
        saved.into_data()
    }
}
