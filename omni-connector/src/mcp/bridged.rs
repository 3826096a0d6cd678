//! Combines a connector and its MCP server into one connector. The runtime reaches the server only through this
//! module.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use axum::response::Response;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::inward::Bridge;
use crate::{
    connector::{ActionCall, ActionError, Connector, ErasedConnector, McpBehind},
    manager::ManagerClient,
    run::SyncContext,
    schema::DecodeError,
    wire::{CredentialReady, Manifest, McpCredentials, ServiceCredential, Source},
};

/// Wraps the connector and its MCP server, if it declares one. The server's lists are cached in `folder` for `ttl`. A
/// connection unused for `idle` is closed.
pub(crate) fn bridged(
    connector: Arc<dyn ErasedConnector>,
    folder: &Path,
    ttl: Option<Duration>,
    idle: Duration,
) -> Arc<dyn ErasedConnector> {
    match Bridge::of(&connector, folder, ttl, idle) {
        Some(bridge) => Arc::new(Bridged { connector, bridge }),
        None => connector,
    }
}

struct Bridged {
    connector: Arc<dyn ErasedConnector>,
    bridge: Arc<Bridge>,
}

impl McpBehind for Bridged {
    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.bridge.changed())
    }

    fn discover_later(&self, credentials: Option<McpCredentials>) {
        self.bridge.discover_later(credentials);
    }

    fn read_resource<'a>(
        &'a self,
        uri: String,
        credentials: Option<&'a McpCredentials>,
    ) -> BoxFuture<'a, Result<Value, ActionError>> {
        Box::pin(self.bridge.read_resource(uri, credentials))
    }

    fn get_prompt<'a>(
        &'a self,
        name: String,
        arguments: Option<Map<String, Value>>,
        credentials: Option<&'a McpCredentials>,
    ) -> BoxFuture<'a, Result<Value, ActionError>> {
        Box::pin(self.bridge.get_prompt(name, arguments, credentials))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.bridge.close())
    }
}

impl ErasedConnector for Bridged {
    /// Adds the server's catalog.
    fn manifest(&self, connector_url: &str) -> Manifest {
        let mut manifest = self.connector.manifest(connector_url);
        self.bridge.complete(&mut manifest);
        manifest
    }

    /// Calls an action of the connector, or else a tool of the server.
    fn call_action(&self, call: ActionCall) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            if self.bridge.has_tool(&call).await {
                self.bridge.call_tool(call).await
            } else {
                self.connector.call_action(call).await
            }
        })
    }

    /// Reads the lists of the server once the connector is ready for the new credential.
    fn credential_ready<'a>(
        &'a self,
        ready: CredentialReady,
        manager: &'a ManagerClient,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut credentials = ready.credentials.clone();
            if let Ok(source) = manager.source(&ready.source_id).await {
                credentials = credentials.about(&source);
            }
            self.connector.credential_ready(ready, manager).await?;
            self.bridge.discover(Some(&credentials)).await?;
            Ok(())
        })
    }

    fn mcp_behind(&self) -> Option<&dyn McpBehind> {
        Some(self)
    }

    fn connector(&self) -> &(dyn Connector + 'static) {
        self.connector.connector()
    }

    fn check(
        &self,
        source: &Source,
        credentials: Option<&ServiceCredential>,
    ) -> Result<(), DecodeError> {
        self.connector.check(source, credentials)
    }

    fn check_checkpoint(&self, checkpoint: &Value) -> Result<(), DecodeError> {
        self.connector.check_checkpoint(checkpoint)
    }

    fn sync(
        &self,
        source: Source,
        credentials: Option<ServiceCredential>,
        checkpoint: Option<Value>,
        ctx: SyncContext,
    ) -> BoxFuture<'_, Result<()>> {
        self.connector.sync(source, credentials, checkpoint, ctx)
    }
}
