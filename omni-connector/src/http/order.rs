//! Processes several items concurrently and returns their outcomes in order.

use std::{fmt, pin::Pin};

use futures_util::{Stream, StreamExt, stream};

use super::{Api, SourceError};
use crate::run::{RunError, SyncContext};

/// The outcomes of [`Api::in_order`], in the order of the items.
#[must_use = "outcomes are read by `next`"]
pub struct InOrder<'a, T>(Pin<Box<dyn Stream<Item = T> + Send + 'a>>);

impl<T> InOrder<'_, T> {
    /// Waits for the outcome of the next item; none after the last.
    pub async fn next(&mut self) -> Option<T> {
        self.0.next().await
    }
}

impl<T> fmt::Debug for InOrder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InOrder")
    }
}

impl Api {
    /// Processes items concurrently, as many as the API allows calls, and returns the outcomes in the order of the
    /// items.
    ///
    /// ```
    /// use omni_connector::{Document, DocumentPermissions, Result, SyncContext, http::Api};
    ///
    /// async fn texts(api: &Api, ctx: &SyncContext, keys: &[String]) -> Result<()> {
    ///     let mut texts = api.in_order(keys, |key| async move {
    ///         (key, api.get(format!("issues/{key}/text")).text(5 << 20).await)
    ///     });
    ///     while let Some((key, text)) = texts.next().await {
    ///         match text {
    ///             Ok(text) => ctx.upsert(Document::new(key, DocumentPermissions::private()).text(text)).await?,
    ///             Err(error) => ctx.lost(key, error)?,
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn in_order<'a, I, W, F>(&self, items: I, work: W) -> InOrder<'a, F::Output>
    where
        I: IntoIterator,
        I::IntoIter: Send + 'a,
        W: FnMut(I::Item) -> F + Send + 'a,
        F: Future + Send + 'a,
        F::Output: Send,
    {
        let working = stream::iter(items.into_iter().map(work));
        InOrder(working.buffered(self.settings().at_once).boxed())
    }
}

impl SyncContext {
    /// Records one item as failed by an error of the source, with the URL of the call. The run continues within its
    /// [budget](Self::set_failure_budget).
    ///
    /// # Errors
    /// The run was cancelled, which does not count as a failure.
    pub fn lost(&self, item: impl Into<String>, error: SourceError) -> Result<(), RunError> {
        if self.is_cancelled() || matches!(error, SourceError::Cancelled) {
            return Err(RunError::Cancelled);
        }
        let link = error.at().map(|at| at.url.clone());
        self.item_failed(item, error, link.as_deref());
        Ok(())
    }
}
