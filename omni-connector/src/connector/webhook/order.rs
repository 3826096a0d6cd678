//! The result of a webhook: runs to start, and an answer.

use std::fmt;

use anyhow::Result;
use axum::response::{IntoResponse, Response};

use super::WebhookRequest;
use crate::{
    manager::ManagerClient,
    run::{SyncContext, Work},
    wire::{ServiceCredential, Source},
};

/// The input of a webhook's function.
#[derive(Debug, Clone)]
pub struct WebhookCall {
    /// The request.
    pub request: WebhookRequest,
    /// The source named by `{source_id}` in the path.
    pub source: Option<Source>,
    /// The credential of that source's owner.
    pub credentials: Option<ServiceCredential>,
    /// The client of the manager.
    pub manager: ManagerClient,
}

/// The result of a function with `#[webhook]`: what happens after the answer was sent.
///
/// ```
/// use omni_connector::{Webhook, prelude::*};
///
/// // A page was deleted: send the delete, without reading anything else.
/// fn deleted(source: &Source, page: String) -> Webhook {
///     Webhook::run(&source.id, move |ctx| async move {
///         ctx.delete(page).await?;
///         Ok(())
///     })
/// }
/// ```
#[must_use = "nothing happens unless the function returns it"]
pub struct Webhook {
    pub(crate) orders: Vec<Order>,
    pub(crate) answer: Option<Response>,
}

/// A run to start for one source.
pub(crate) struct Order {
    pub(crate) source_id: String,
    pub(crate) kind: OrderKind,
}

pub(crate) enum OrderKind {
    Sync,
    Run(Work),
}

impl Webhook {
    /// Does nothing: the call concerns something else.
    pub const fn ignore() -> Self {
        Self {
            orders: Vec::new(),
            answer: None,
        }
    }

    /// Requests an incremental run of the source. Further calls within the
    /// [window](crate::ServerConfig::webhook_window) join it. Calls during a run become one run after it.
    pub fn sync(source_id: impl Into<String>) -> Self {
        Self::one(source_id.into(), OrderKind::Sync)
    }

    /// Starts a separate run, in which `work` emits the changes that the call reports: see [`SyncContext`]. It counts
    /// as an incremental run, so it waits for the current one. It keeps the source's checkpoint unless it saves
    /// another. Returning `Ok` completes it; an error or a panic fails it with its message.
    ///
    /// If the process stops meanwhile, the manager resumes the run as an incremental sync.
    pub fn run<F>(
        source_id: impl Into<String>,
        work: impl FnOnce(SyncContext) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self::one(
            source_id.into(),
            OrderKind::Run(Box::new(move |ctx| Box::pin(work(ctx)))),
        )
    }

    fn one(source_id: String, kind: OrderKind) -> Self {
        Self {
            orders: vec![Order { source_id, kind }],
            answer: None,
        }
    }

    /// Joins two results: one call may concern several sources.
    pub fn and(mut self, other: Self) -> Self {
        self.orders.extend(other.orders);
        self.answer = self.answer.or(other.answer);
        self
    }

    /// Sets the answer, in place of `{"status":"accepted"}`. An example is the challenge with which a system verifies
    /// that the path is ours.
    pub fn answer(mut self, response: impl IntoResponse) -> Self {
        self.answer = Some(response.into_response());
        self
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let orders = self.orders.iter().map(|order| match order.kind {
            OrderKind::Sync => format!("sync {}", order.source_id),
            OrderKind::Run(_) => format!("run {}", order.source_id),
        });
        f.debug_list().entries(orders).finish()
    }
}
