//! A connector without its type, so that the runtime is compiled once and not in every connector's crate.

#[cfg(feature = "mcp")]
use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use axum::response::Response;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

#[cfg(feature = "mcp")]
use super::McpServer;
use super::{ActionCall, ActionError, Connector, Webhook, WebhookCall};
use crate::{
    manager::ManagerClient,
    run::{Operator, SyncContext},
    schema::{DecodeError, decode},
    wire::{
        CredentialReady, IntegrationType, Manifest, ManifestAction, McpCredentials, OAuthConfig,
        OAuthExtra, OAuthTokens, ServiceCredential, Source, SourceType, SyncType,
    },
};

/// What a server asks of the MCP server behind a connector.
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
    /// Closes all connections and waits for what they started.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// What the runtime needs of a connector. Implemented for every [`Connector`], and for one together with the MCP server
/// behind it.
pub(crate) trait ErasedConnector: Send + Sync {
    fn manifest(&self, connector_url: &str) -> Manifest;
    fn name(&self) -> &'static str;
    fn version(&self) -> &'static str;
    fn source_types(&self) -> Vec<SourceType>;
    fn sync_modes(&self) -> Vec<SyncType>;
    fn requires_credentials(&self) -> bool;
    fn operators(&self) -> Vec<Operator>;
    /// Whether everything decodes into the connector's types.
    fn check(
        &self,
        source: &Source,
        credentials: Option<&ServiceCredential>,
        checkpoint: Option<&Value>,
    ) -> Result<(), DecodeError>;
    fn validate<'a>(
        &'a self,
        source: &'a Source,
        credentials: Option<&'a ServiceCredential>,
        manager: &'a ManagerClient,
    ) -> BoxFuture<'a, Result<()>>;
    fn sync(
        &self,
        source: Source,
        credentials: Option<ServiceCredential>,
        checkpoint: Option<Value>,
        ctx: SyncContext,
    ) -> BoxFuture<'_, Result<()>>;
    fn call_action(&self, call: ActionCall) -> BoxFuture<'_, Result<Response>>;
    #[cfg(feature = "mcp")]
    fn action_names(&self) -> HashSet<String>;
    #[cfg(feature = "mcp")]
    fn action_output(&self, action: &str) -> Option<Value>;
    fn oauth_config(&self) -> Option<OAuthConfig>;
    fn credential_ready<'a>(
        &'a self,
        ready: CredentialReady,
        manager: &'a ManagerClient,
    ) -> BoxFuture<'a, Result<()>>;
    fn enrich(&self, tokens: OAuthTokens) -> BoxFuture<'_, Result<OAuthExtra>>;
    #[cfg(feature = "mcp")]
    fn mcp_server(&self) -> Option<McpServer>;
    #[cfg(feature = "mcp")]
    fn prepare_mcp_env(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>>;
    #[cfg(feature = "mcp")]
    fn prepare_mcp_headers(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>>;
    /// The MCP server behind the connector, once it stands there: a [`Connector`] alone only declares one.
    fn mcp_behind(&self) -> Option<&dyn McpBehind> {
        None
    }
    fn webhooks(&self) -> Vec<&'static str>;
    fn call_webhook(&self, call: WebhookCall) -> BoxFuture<'_, Result<Webhook>>;
}

impl<C: Connector> ErasedConnector for C {
    fn manifest(&self, connector_url: &str) -> Manifest {
        let source_types = Connector::source_types(self);
        let actions = self.actions().into_iter().map(|action| ManifestAction {
            required_scopes: self.action_scopes(&action.name),
            name: action.name,
            description: action.description,
            input_schema: action.input_schema,
            mode: action.mode,
            // An empty list reads as "everywhere" and is refused at dispatch (protocol.md §6.2).
            source_types: if action.source_types.is_empty() {
                source_types.clone()
            } else {
                action.source_types
            },
            admin_only: action.admin_only,
            hidden: action.hidden,
        });
        Manifest {
            name: Connector::name(self).to_owned(),
            display_name: self.display_name(),
            version: self.version().to_owned(),
            sync_modes: Connector::sync_modes(self),
            connector_id: Connector::name(self).to_owned(),
            connector_url: connector_url.trim_end_matches('/').to_owned(),
            integration_type: IntegrationType::Connector,
            actions: actions.collect(),
            source_types: source_types.iter().map(ToString::to_string).collect(),
            description: self.description(),
            search_operators: self.search_operators(),
            read_only: self.read_only(),
            extra_schema: self.extra_schema(),
            attributes_schema: self.attributes_schema(),
            mcp_enabled: false,
            mcp_catalog_loaded: false,
            resources: Vec::new(),
            prompts: Vec::new(),
            skills: self.skills(),
            oauth: self
                .oauth_config()
                .map(|oauth| serde_json::to_value(oauth).unwrap_or_default()),
        }
    }

    fn name(&self) -> &'static str {
        Connector::name(self)
    }

    fn version(&self) -> &'static str {
        Connector::version(self)
    }

    fn source_types(&self) -> Vec<SourceType> {
        Connector::source_types(self)
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        Connector::sync_modes(self)
    }

    fn requires_credentials(&self) -> bool {
        Connector::requires_credentials(self)
    }

    fn operators(&self) -> Vec<Operator> {
        Connector::operators(self)
    }

    fn check(
        &self,
        source: &Source,
        credentials: Option<&ServiceCredential>,
        checkpoint: Option<&Value>,
    ) -> Result<(), DecodeError> {
        decode::<C::Config>("config", source.config.clone())?;
        if let Some(credentials) = credentials {
            decode::<C::Credentials>("credentials", credentials.credentials.clone())?;
        }
        if let Some(checkpoint) = checkpoint {
            decode::<C::State>("checkpoint", checkpoint.clone())?;
        }
        Ok(())
    }

    fn validate<'a>(
        &'a self,
        source: &'a Source,
        credentials: Option<&'a ServiceCredential>,
        manager: &'a ManagerClient,
    ) -> BoxFuture<'a, Result<()>> {
        Connector::validate(self, source, credentials, manager)
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

    fn call_action(&self, call: ActionCall) -> BoxFuture<'_, Result<Response>> {
        Connector::call_action(self, call)
    }

    #[cfg(feature = "mcp")]
    fn action_names(&self) -> HashSet<String> {
        self.actions()
            .into_iter()
            .map(|action| action.name)
            .collect()
    }

    #[cfg(feature = "mcp")]
    fn action_output(&self, action: &str) -> Option<Value> {
        Connector::action_output(self, action)
    }

    fn oauth_config(&self) -> Option<OAuthConfig> {
        Connector::oauth_config(self)
    }

    fn credential_ready<'a>(
        &'a self,
        ready: CredentialReady,
        manager: &'a ManagerClient,
    ) -> BoxFuture<'a, Result<()>> {
        Connector::credential_ready(self, ready, manager)
    }

    fn enrich(&self, tokens: OAuthTokens) -> BoxFuture<'_, Result<OAuthExtra>> {
        Connector::enrich(self, tokens)
    }

    #[cfg(feature = "mcp")]
    fn mcp_server(&self) -> Option<McpServer> {
        Connector::mcp_server(self)
    }

    #[cfg(feature = "mcp")]
    fn prepare_mcp_env(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        Connector::prepare_mcp_env(self, credentials)
    }

    #[cfg(feature = "mcp")]
    fn prepare_mcp_headers(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        Connector::prepare_mcp_headers(self, credentials)
    }

    fn webhooks(&self) -> Vec<&'static str> {
        Connector::webhooks(self)
    }

    fn call_webhook(&self, call: WebhookCall) -> BoxFuture<'_, Result<Webhook>> {
        Connector::call_webhook(self, call)
    }
}
