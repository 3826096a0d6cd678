//! The generated methods of a connector, for the methods with `#[replaces]` that replace them.

use anyhow::Result;
use axum::response::Response;
use futures_util::future::BoxFuture;

use super::{action, annotated::Declared, operator, webhook};
use crate::{
    connector::{ActionCall, Webhook, WebhookCall},
    run::Operator,
    wire::ActionDefinition,
};

/// The generated methods of a connector, as without [`#[replaces]`](macro@crate::replaces).
///
/// A method with `#[replaces]` uses it to add to them, or to pass on a call:
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
    /// Returns the annotated actions.
    #[must_use]
    pub fn actions(&self) -> Vec<ActionDefinition> {
        action::actions::<C>()
    }

    /// Calls an annotated action.
    pub fn call_action(&self, call: ActionCall) -> BoxFuture<'c, Result<Response>> {
        action::call_action(self.0, call)
    }

    /// Returns the paths of the annotated webhooks.
    #[must_use]
    pub fn webhooks(&self) -> Vec<&'static str> {
        webhook::webhooks::<C>()
    }

    /// Calls an annotated webhook.
    pub fn call_webhook(&self, call: WebhookCall) -> BoxFuture<'c, Result<Webhook>> {
        webhook::call_webhook(self.0, call)
    }

    /// Returns the annotated search operators.
    #[must_use]
    pub fn operators(&self) -> Vec<Operator> {
        operator::operators::<C>()
    }
}
