//! The table of a connector's webhooks, and the arguments of their functions.

use anyhow::Result;

use super::{
    annotated::Declared,
    argument::FromCall,
    call::{Call, CallOf, Pending, refused},
};
use crate::{
    connector::{ActionError, Webhook, WebhookCall, WebhookRequest},
    manager::ManagerClient,
    wire::{ServiceCredential, Source},
};
use futures_util::future::BoxFuture;

/// A function with `#[webhook]`.
#[derive(Debug)]
pub struct WebhookFn<K> {
    path: &'static str,
    function: WebhookPointer<K>,
}

/// Reads the arguments and calls the function. Config and credentials exist only if the path names a source.
#[derive(Debug)]
enum WebhookPointer<K> {
    Plain(fn(&K, CallOf<K, OfWebhook>) -> Pending<'_, Webhook>),
    OfSource(fn(&K, CallOf<K, OfSourceWebhook>) -> Pending<'_, Webhook>),
}

impl<K> WebhookFn<K> {
    /// Makes a webhook whose path does not name a source.
    pub const fn plain(
        path: &'static str,
        function: fn(&K, CallOf<K, OfWebhook>) -> Pending<'_, Webhook>,
    ) -> Self {
        Self {
            path,
            function: WebhookPointer::Plain(function),
        }
    }

    /// Makes a webhook with `{source_id}` in its path.
    pub const fn of_source(
        path: &'static str,
        function: fn(&K, CallOf<K, OfSourceWebhook>) -> Pending<'_, Webhook>,
    ) -> Self {
        Self {
            path,
            function: WebhookPointer::OfSource(function),
        }
    }
}

/// The inputs of a webhook's call.
#[derive(Debug)]
pub struct OfWebhook {
    request: WebhookRequest,
    manager: ManagerClient,
}

/// The inputs of a webhook's call whose path names a source.
#[derive(Debug)]
pub struct OfSourceWebhook {
    request: WebhookRequest,
    source: Source,
    credentials: Option<ServiceCredential>,
    manager: ManagerClient,
}

impl<K> Call for CallOf<K, OfSourceWebhook> {
    fn source(&self) -> Option<&Source> {
        Some(&self.parts.source)
    }

    fn credential(&self) -> Option<&ServiceCredential> {
        self.parts.credentials.as_ref()
    }

    fn manager(&self) -> &ManagerClient {
        &self.parts.manager
    }
}

impl<K> FromCall<CallOf<K, OfWebhook>> for WebhookRequest {
    fn from_call(call: &mut CallOf<K, OfWebhook>) -> Result<Self, ActionError> {
        Ok(call.parts.request.clone())
    }
}

impl<K> FromCall<CallOf<K, OfSourceWebhook>> for WebhookRequest {
    fn from_call(call: &mut CallOf<K, OfSourceWebhook>) -> Result<Self, ActionError> {
        Ok(call.parts.request.clone())
    }
}

impl<K> FromCall<CallOf<K, OfWebhook>> for ManagerClient {
    fn from_call(call: &mut CallOf<K, OfWebhook>) -> Result<Self, ActionError> {
        Ok(call.parts.manager.clone())
    }
}

/// Returns the paths of a connector's webhooks.
pub(super) fn webhooks<K: Declared>() -> Vec<&'static str> {
    K::TABLE
        .webhook_methods
        .iter()
        .map(|webhook| webhook.path)
        .collect()
}

/// Calls the function for a path.
///
/// # Errors
/// The error of the function.
pub(super) fn call_webhook<K: Declared>(
    connector: &K,
    call: WebhookCall,
) -> BoxFuture<'_, Result<Webhook>> {
    let WebhookCall {
        request,
        source,
        credentials,
        manager,
    } = call;
    let route = request.route();
    let found = K::TABLE
        .webhook_methods
        .iter()
        .find(|webhook| webhook.path == route);
    let pending = match (found.map(|webhook| &webhook.function), source) {
        (Some(WebhookPointer::Plain(function)), _) => {
            function(connector, CallOf::new(OfWebhook { request, manager }))
        }
        (Some(WebhookPointer::OfSource(function)), Some(source)) => {
            let parts = OfSourceWebhook {
                request,
                source,
                credentials,
                manager,
            };
            function(connector, CallOf::new(parts))
        }
        _ => Err(ActionError::not_found(format!(
            "nothing is behind webhook `{route}`"
        ))),
    };
    pending.unwrap_or_else(refused)
}

/// The return type of a function with `#[webhook]`: `Result<Webhook, E>` with any error.
#[diagnostic::on_unimplemented(
    message = "a webhook cannot return `{Self}`",
    label = "cannot be returned",
    note = "help: return `Result<Webhook>`: `Webhook::ignore()`, `Webhook::sync(…)` or `Webhook::run(…)`"
)]
pub trait WebhookReturn {
    /// Converts the result.
    ///
    /// # Errors
    /// The error of the function.
    fn into_result(self) -> Result<Webhook>;
}

impl<E: Into<anyhow::Error>> WebhookReturn for Result<Webhook, E> {
    fn into_result(self) -> Result<Webhook> {
        self.map_err(Into::into)
    }
}

/// Converts what a function with `#[webhook]` returned.
///
/// # Errors
/// The error of the function.
pub fn webhook_answer(returned: impl WebhookReturn) -> Result<Webhook> {
    returned.into_result()
}
