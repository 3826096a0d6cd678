//! A connector together with the MCP server behind it, as one connector. Nothing of the server reaches the runtime but through
//! this.

use futures_util::future::BoxFuture;
use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use axum::response::Response;
use serde_json::{Map, Value};

use super::inward::Bridge;
use crate::{
    connector::{
        ActionCall, ActionError, ErasedConnector, McpBehind, McpServer, Webhook, WebhookCall,
    },
    manager::ManagerClient,
    run::{Operator, SyncContext},
    schema::DecodeError,
    wire::{
        CredentialReady, Manifest, McpCredentials, OAuthConfig, OAuthExtra, OAuthTokens,
        ServiceCredential, Source, SourceType, SyncType,
    },
};

/// The connector, with the MCP server behind it if it declares one. What the server offers is kept in `folder` for `ttl`; a
/// connection that nobody used for `idle` is closed.
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
    /// Adds what the server offers.
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
            let credentials = ready.credentials.clone();
            self.connector.credential_ready(ready, manager).await?;
            self.bridge.discover(Some(&credentials)).await?;
            Ok(())
        })
    }

    fn mcp_behind(&self) -> Option<&dyn McpBehind> {
        Some(self)
    }

    // The connector answers everything else.

    fn name(&self) -> &'static str {
        self.connector.name()
    }

    fn version(&self) -> &'static str {
        self.connector.version()
    }

    fn source_types(&self) -> Vec<SourceType> {
        self.connector.source_types()
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        self.connector.sync_modes()
    }

    fn requires_credentials(&self) -> bool {
        self.connector.requires_credentials()
    }

    fn operators(&self) -> Vec<Operator> {
        self.connector.operators()
    }

    fn check(
        &self,
        source: &Source,
        credentials: Option<&ServiceCredential>,
        checkpoint: Option<&Value>,
    ) -> Result<(), DecodeError> {
        self.connector.check(source, credentials, checkpoint)
    }

    fn validate<'a>(
        &'a self,
        source: &'a Source,
        credentials: Option<&'a ServiceCredential>,
        manager: &'a ManagerClient,
    ) -> BoxFuture<'a, Result<()>> {
        self.connector.validate(source, credentials, manager)
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

    fn action_names(&self) -> HashSet<String> {
        self.connector.action_names()
    }

    fn action_output(&self, action: &str) -> Option<Value> {
        self.connector.action_output(action)
    }

    fn oauth_config(&self) -> Option<OAuthConfig> {
        self.connector.oauth_config()
    }

    fn enrich(&self, tokens: OAuthTokens) -> BoxFuture<'_, Result<OAuthExtra>> {
        self.connector.enrich(tokens)
    }

    fn mcp_server(&self) -> Option<McpServer> {
        self.connector.mcp_server()
    }

    fn prepare_mcp_env(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        self.connector.prepare_mcp_env(credentials)
    }

    fn prepare_mcp_headers(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        self.connector.prepare_mcp_headers(credentials)
    }

    fn webhooks(&self) -> Vec<&'static str> {
        self.connector.webhooks()
    }

    fn call_webhook(&self, call: WebhookCall) -> BoxFuture<'_, Result<Webhook>> {
        self.connector.call_webhook(call)
    }
}
