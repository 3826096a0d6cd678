//! What the annotations of a connector say, for the methods that replace it.

use anyhow::Result;
use axum::response::Response;
use futures_util::future::BoxFuture;

use super::{action, annotated::Declared, operator, webhook};
use crate::{
    connector::{ActionCall, Webhook, WebhookCall},
    run::Operator,
    wire::ActionDefinition,
};

/// What the annotations of a connector say, as if no method with [`#[replaces]`](macro@crate::replaces) were there.
///
/// Such a method adds to what the macros generate, or hands on what it does not answer itself:
///
/// ```
/// use omni_connector::{ActionCall, Annotated, Response, prelude::*};
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
///
/// #[connector]
/// impl Notes {
///     #[replaces]
///     async fn call_action(&self, call: ActionCall) -> Result<Response> {
///         ensure!(call.action != "forbidden", "nobody may call it");
///         Annotated(self).call_action(call).await
///     }
/// #   #[sync] async fn sync(&self) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct Annotated<'c, C>(pub &'c C);

impl<'c, C: Declared> Annotated<'c, C> {
    /// The annotated actions.
    #[must_use]
    pub fn actions(&self) -> Vec<ActionDefinition> {
        action::actions::<C>()
    }

    /// Calls an annotated action.
    pub fn call_action(&self, call: ActionCall) -> BoxFuture<'c, Result<Response>> {
        action::call_action(self.0, call)
    }

    /// The paths of the annotated webhooks.
    #[must_use]
    pub fn webhooks(&self) -> Vec<&'static str> {
        webhook::webhooks::<C>()
    }

    /// Calls an annotated webhook.
    pub fn call_webhook(&self, call: WebhookCall) -> BoxFuture<'c, Result<Webhook>> {
        webhook::call_webhook(self.0, call)
    }

    /// The annotated search operators.
    #[must_use]
    pub fn operators(&self) -> Vec<Operator> {
        operator::operators::<C>()
    }
}
