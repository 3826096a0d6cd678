//! A connector with its type erased, so that the runtime is compiled once and not in every connector's crate.

use std::{
    collections::HashSet,
    ops,
    sync::{LazyLock, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use axum::response::Response;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::{ActionCall, ActionError, Connector, definition::manifest_of};
use crate::{
    manager::ManagerClient,
    run::SyncContext,
    schema::{DecodeError, Keys, decode, decode_credential, decode_with_keys},
    wire::{CredentialReady, Manifest, McpCredentials, ServiceCredential, Source},
};

/// The MCP server behind a connector, as the server uses it.
pub(crate) trait McpBehind: Send + Sync {
    /// Waits until the manifest should be registered again.
    fn changed(&self) -> BoxFuture<'_, ()>;
    /// Reads the lists of the MCP server in the background, with these credentials.
    fn discover_later(&self, credentials: Option<McpCredentials>);
    /// Reads a resource.
    fn read_resource<'a>(
        &'a self,
        uri: String,
        credentials: Option<&'a McpCredentials>,
    ) -> BoxFuture<'a, Result<Value, ActionError>>;
    /// Fills in a prompt.
    fn get_prompt<'a>(
        &'a self,
        name: String,
        arguments: Option<Map<String, Value>>,
        credentials: Option<&'a McpCredentials>,
    ) -> BoxFuture<'a, Result<Value, ActionError>>;
    /// Closes all connections and waits for the processes they started.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// A connector as the runtime uses it. Implemented for every [`Connector`], and for a connector together with its MCP
/// server.
///
/// It dereferences to the connector, which answers every other call. So a hook of [`Connector`] needs a method here
/// only if the MCP server takes part in it.
pub(crate) trait ErasedConnector: Send + Sync {
    /// Returns the connector itself.
    fn connector(&self) -> &(dyn Connector + 'static);
    /// Decodes config and credentials into the connector's types, as a check.
    fn check(
        &self,
        source: &Source,
        credentials: Option<&ServiceCredential>,
    ) -> Result<(), DecodeError>;

    /// Checks that a checkpoint has the shape of the connector's state.
    ///
    /// # Errors
    /// The first invalid field.
    fn check_checkpoint(&self, checkpoint: &Value) -> Result<(), DecodeError>;

    /// Calls [`Connector::sync`] with the saved checkpoint.
    fn sync(
        &self,
        source: Source,
        credentials: Option<ServiceCredential>,
        checkpoint: Option<Value>,
        ctx: SyncContext,
    ) -> BoxFuture<'_, Result<()>>;
    /// Returns the manifest for registration.
    fn manifest(&self, connector_url: &str) -> Manifest {
        manifest_of(self.connector(), connector_url)
    }
    /// Calls [`Connector::call_action`].
    fn call_action(&self, call: ActionCall) -> BoxFuture<'_, Result<Response>> {
        self.connector().call_action(call)
    }
    /// Calls [`Connector::credential_ready`].
    fn credential_ready<'a>(
        &'a self,
        ready: CredentialReady,
        manager: &'a ManagerClient,
    ) -> BoxFuture<'a, Result<()>> {
        self.connector().credential_ready(ready, manager)
    }
    /// Returns the MCP server behind the connector. A [`Connector`] alone only declares one.
    fn mcp_behind(&self) -> Option<&dyn McpBehind> {
        None
    }
}

impl ops::Deref for dyn ErasedConnector + '_ {
    type Target = dyn Connector;

    fn deref(&self) -> &Self::Target {
        self.connector()
    }
}

#[cfg(feature = "mcp")]
impl dyn ErasedConnector + '_ {
    pub(crate) fn action_names(&self) -> HashSet<String> {
        self.actions()
            .into_iter()
            .map(|action| action.name)
            .collect()
    }
}

/// Warns once for each source about settings that the connector does not read, such as misspelled ones.
fn warn_of_unread(source: &Source, keys: &Keys) {
    static WARNED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    if keys.unknown.is_empty() {
        return;
    }
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if warned.insert(format!("{} {:?}", source.id, keys.unknown)) {
        let (unknown, known) = (keys.unknown.join("`, `"), keys.known.join("`, `"));
        tracing::warn!(
            "unknown settings `{unknown}` of source `{}` are ignored; this connector reads `{known}`",
            source.name
        );
    }
}

impl<C: Connector> ErasedConnector for C {
    fn connector(&self) -> &(dyn Connector + 'static) {
        self
    }

    fn check(
        &self,
        source: &Source,
        credentials: Option<&ServiceCredential>,
    ) -> Result<(), DecodeError> {
        let (_, keys) = decode_with_keys::<C::Config>("config", source.config.clone())?;
        warn_of_unread(source, &keys);
        if credentials.is_some() {
            decode_credential::<C::Credentials>(credentials)?;
        }
        Ok(())
    }

    fn check_checkpoint(&self, checkpoint: &Value) -> Result<(), DecodeError> {
        decode::<C::State>("checkpoint", checkpoint.clone()).map(drop)
    }

    fn sync(
        &self,
        source: Source,
        credentials: Option<ServiceCredential>,
        checkpoint: Option<Value>,
        ctx: SyncContext,
    ) -> BoxFuture<'_, Result<()>> {
        let checkpoint = checkpoint
            .map(|value| decode::<C::State>("checkpoint", value))
            .transpose();
        Box::pin(async move {
            let checkpoint =
                checkpoint.context("the checkpoint changed its shape since it was saved")?;
            Connector::sync(self, source, credentials, checkpoint, ctx).await
        })
    }
}
