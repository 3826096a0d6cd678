//! Attachments of documents. They are fetched when they changed; a failure never removes Omni's version.

use std::fmt::Display;

use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Document, RunError, Walk};
use crate::manager::{Data, EXTRACT_LIMIT, is_extractable};

/// The limit for attachments in the memory of the process, of all runs together, in kilobytes.
const BUDGET: u32 = 256 << 10;
/// The kilobytes counted for a file of unknown size while it is fetched.
const UNKNOWN: u32 = 1 << 10;

static MEMORY: Semaphore = Semaphore::const_new(BUDGET as usize);

/// A file that belongs to a document. Given to [`Walk::attach`].
#[must_use = "a file reaches Omni by `walk.attach(…)`"]
#[derive(Debug, Clone)]
pub struct Attachment {
    name: String,
    media_type: String,
    size: Option<u64>,
}

impl Attachment {
    /// Makes an attachment with its name and media type. Use `application/octet-stream` for an unknown media type: then
    /// the extension decides.
    pub fn new(name: impl Into<String>, media_type: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            media_type: media_type.into(),
            size: None,
        }
    }

    /// Sets its size in bytes, if the source reports it. A file that is too large to be extracted is then not fetched.
    pub fn size(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.size = bytes.into();
        self
    }

    /// Returns whether Omni can read its text, judging by format and size.
    pub fn is_readable(&self) -> bool {
        is_extractable(&self.media_type, &self.name)
            && self.size.is_none_or(|size| size <= EXTRACT_LIMIT)
    }
}

impl<V: Serialize> Walk<V> {
    /// Sends a file as a [child](Document::child) of a document. It has the document's readers and is deleted with it.
    ///
    /// `fetch` is awaited only if Omni lacks this version of the file for these readers, and can read its format and
    /// size. An unreadable file becomes a document without text. A file that cannot be fetched or extracted is a failed
    /// item: Omni keeps its version, and the next run tries again. Files in memory take at most 256 MB at once. A
    /// [saved](crate::http::Call::save) file is streamed from disk.
    ///
    /// Without a title, the file's name is shown.
    ///
    /// ```
    /// use omni_connector::{Attachment, Walk, http::Api, prelude::*};
    ///
    /// # struct File { id: u64, name: String, mime_type: String, size: u64 }
    /// # async fn example(api: Api, walk: &mut Walk<u64>, issue: Document<'static>, files: Vec<File>) -> Result<()> {
    /// for file in &files {
    ///     let document = issue.child(format!("issue-7_file_{}", file.id));
    ///     let attachment = Attachment::new(&file.name, &file.mime_type).size(file.size);
    ///     let fetch = api.get(format!("files/{}", file.id)).save(50 << 20);
    ///     walk.attach(document, &file.id, attachment, fetch).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`SyncContext::upsert`](super::SyncContext::upsert).
    pub fn attach<'fetch, D, E>(
        &mut self,
        mut document: Document<'static>,
        version: &V,
        file: Attachment,
        fetch: impl Future<Output = Result<D, E>> + Send + 'fetch,
    ) -> BoxFuture<'fetch, Result<(), RunError>>
    where
        D: Into<Data> + Send,
        E: Display + Send,
        V: 'fetch,
    {
        let fingerprint = match self.resolve(&mut document) {
            Ok(()) => Self::print_with(version, document.access()),
            Err(failing) => return failing,
        };
        if self.is_current_fingerprint(document.id(), fingerprint) {
            return Box::pin(std::future::ready(Ok(())));
        }
        if document.has_no_title() {
            document = document.title(&file.name);
        }
        if !file.is_readable() {
            document = document.mime_type(&file.media_type);
            if let Some(size) = file.size {
                document = document.size(size);
            }
            return self.upsert_fingerprint(document, fingerprint);
        }
        self.keep(document.id());
        let mut walk = self.again();
        Box::pin(async move {
            let _held = hold(file.size).await;
            match fetch.await {
                Ok(data) => {
                    let document = document.extract(data, file.media_type, file.name);
                    walk.upsert_fingerprint(document, fingerprint).await
                }
                Err(cause) => walk.fail_child(&document, cause),
            }
        })
    }
}

/// Waits until there is room for a file of this size. A file larger than the whole budget takes all of it.
async fn hold(size: Option<u64>) -> Option<SemaphorePermit<'static>> {
    let kilobytes = size.map_or(UNKNOWN, |size| {
        u32::try_from(size / 1_024 + 1).unwrap_or(BUDGET)
    });
    MEMORY.acquire_many(kilobytes.min(BUDGET)).await.ok()
}
