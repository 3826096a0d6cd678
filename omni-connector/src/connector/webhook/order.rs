//! What a webhook asks for.

use std::fmt;

use anyhow::Result;
use axum::response::{IntoResponse, Response};

use super::WebhookRequest;
use crate::{
    manager::ManagerClient,
    run::{SyncContext, Work},
    wire::{ServiceCredential, Source},
};

/// Everything that is known when a webhook is called.
#[derive(Debug, Clone)]
pub struct WebhookCall {
    /// The call as it came.
    pub request: WebhookRequest,
    /// The source whose id stands in the path for `{source_id}`.
    pub source: Option<Source>,
    /// The credential of that source's owner.
    pub credentials: Option<ServiceCredential>,
    /// The way to the manager.
    pub manager: ManagerClient,
}

/// What a function with `#[webhook]` wants to happen after the answer went out.
///
/// ```
/// use omni_connector::{Webhook, prelude::*};
///
/// // A page was deleted: say so, without a look at anything else.
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

/// One thing to do about one source.
pub(crate) struct Order {
    pub(crate) source_id: String,
    pub(crate) kind: OrderKind,
}

pub(crate) enum OrderKind {
    Sync,
    Run(Work),
}

impl Webhook {
    /// Nothing: the call is about something else.
    pub const fn ignore() -> Self {
        Self {
            orders: Vec::new(),
            answer: None,
        }
    }

    /// One incremental run of the source. Calls that follow soon after become the same run
    /// ([`webhook_window`](crate::ServerConfig::webhook_window)); while a run is under way they become one after it.
    pub fn sync(source_id: impl Into<String>) -> Self {
        Self::one(source_id.into(), OrderKind::Sync)
    }

    /// A run of its own, in which `work` emits what the call says has changed: see [`SyncContext`]. It counts as an
    /// incremental one, so it waits for the run that is under way, and keeps the checkpoint of the source unless it saves
    /// another. Returning `Ok` completes it; an error or a panic fails it with its message.
    ///
    /// When the process is stopped meanwhile, the manager resumes the run as an incremental sync.
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

    /// Both: one call may be about several sources.
    pub fn and(mut self, other: Self) -> Self {
        self.orders.extend(other.orders);
        self.answer = self.answer.or(other.answer);
        self
    }

    /// Answers with this instead of `{"status":"accepted"}`: a challenge, say, by which a system finds out whether the path is
    /// ours.
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
