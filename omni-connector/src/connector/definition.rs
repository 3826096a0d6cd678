//! The trait of connectors, and the manifest that its methods give. Annotated types get the trait from
//! `declare/annotated.rs`; you can also implement it yourself.

use std::collections::HashMap;

use anyhow::{Result, bail};
use async_trait::async_trait;
use axum::{http::StatusCode, response::Response};
use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{ActionCall, ActionError, ActionResponse, McpServer, Webhook, WebhookCall};
use crate::{
    manager::ManagerClient,
    run::{Operator, SyncContext},
    wire::{
        ActionDefinition, CredentialReady, IntegrationType, Manifest, ManifestAction,
        McpCredentials, OAuthConfig, OAuthExtra, OAuthTokens, SearchOperator, ServiceCredential,
        Skill, Source, SourceType, SyncType,
    },
};

/// A connector: its description, its syncs and its actions.
///
/// Only [`name`](Self::name), [`version`](Self::version), [`source_types`](Self::source_types) and [`sync`](Self::sync)
/// are required. The runtime decodes and validates, reserves the slot, completes or fails the run, sends heartbeats and
/// reports panics.
///
/// ```
/// use omni_connector::{Connector, ServiceCredential, Source, SourceType, SyncContext, async_trait};
///
/// struct Notes;
///
/// #[async_trait]
/// impl Connector for Notes {
///     type Config = serde_json::Value;
///     type Credentials = serde_json::Value;
///     type State = serde_json::Value;
///
///     fn name(&self) -> &'static str { "notes" }
///     fn version(&self) -> &'static str { env!("CARGO_PKG_VERSION") }
///     fn source_types(&self) -> Vec<SourceType> { vec![SourceType::Notion] }
///
///     async fn sync(
///         &self,
///         _source: Source,
///         _credentials: Option<ServiceCredential>,
///         _checkpoint: Option<Self::State>,
///         ctx: SyncContext,
///     ) -> anyhow::Result<()> {
///         ctx.delete("note-1").await?;
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connector",
    label = "not a connector",
    note = "help: put `#[connector(name = \"…\", source_types = […])]` on `struct {Self}`"
)]
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// The type of `source.config`, checked before a run starts. [`Value`] accepts everything.
    type Config: DeserializeOwned + Send + 'static
    where
        Self: Sized;
    /// The type of the credential's secret, checked before a run starts. [`Value`] accepts everything.
    type Credentials: DeserializeOwned + Send + 'static
    where
        Self: Sized;
    /// The type of the checkpoint, which [`sync`](Self::sync) receives and [`SyncContext::save_checkpoint`] saves.
    type State: DeserializeOwned + Send + 'static
    where
        Self: Sized;

    /// Returns the connector's id: `a-z`, `0-9` and `_`.
    fn name(&self) -> &'static str;

    /// Returns its version, usually `env!("CARGO_PKG_VERSION")`.
    fn version(&self) -> &'static str;

    /// Returns the name that people see. The default is [`name`](Self::name).
    fn display_name(&self) -> String {
        self.name().to_owned()
    }

    /// Returns a description in one sentence.
    fn description(&self) -> Option<String> {
        None
    }

    /// Returns the types of sources that it serves.
    fn source_types(&self) -> Vec<SourceType>;

    /// Returns the modes that it supports. The default is full runs only.
    fn sync_modes(&self) -> Vec<SyncType> {
        vec![SyncType::Full]
    }

    /// Returns whether all write actions are blocked.
    fn read_only(&self) -> bool {
        false
    }

    /// Returns whether a run without credentials is refused before it starts.
    fn requires_credentials(&self) -> bool {
        false
    }

    /// Checks a source before a run of this mode starts, beyond its types. An error refuses the run: an
    /// [`Unavailable`](super::Unavailable) with 404, any other with 400.
    async fn validate(
        &self,
        mode: SyncType,
        source: &Source,
        credentials: Option<&ServiceCredential>,
        manager: &ManagerClient,
    ) -> Result<()> {
        let _ = (mode, source, credentials, manager);
        Ok(())
    }

    /// Executes one run. Returning `Ok` completes it; an error or a panic fails it with its message.
    ///
    /// The run continues from `checkpoint`. It is `None` in a full run that is not a resume: such a run starts over.
    /// The checkpoint of the last completed run is in `source.checkpoint`.
    async fn sync(
        &self,
        source: Source,
        credentials: Option<ServiceCredential>,
        checkpoint: Option<Self::State>,
        ctx: SyncContext,
    ) -> Result<()>
    where
        Self: Sized;

    /// Returns its actions.
    fn actions(&self) -> Vec<ActionDefinition> {
        Vec::new()
    }

    /// Returns the OAuth scopes that an action requires. Returns `None` if they are undeclared.
    fn action_scopes(&self, action: &str) -> Option<Vec<String>> {
        let _ = action;
        None
    }

    /// Returns the JSON Schema of an action's result, for MCP clients. Returns `None` if it is undeclared.
    fn action_output(&self, action: &str) -> Option<Value> {
        let _ = action;
        None
    }

    /// Executes an action by name.
    async fn execute_action(
        &self,
        action: &str,
        params: Value,
        credentials: Option<ServiceCredential>,
    ) -> Result<Response> {
        let _ = (params, credentials);
        Ok(ActionResponse::not_supported(action).into_response_with_status(StatusCode::NOT_FOUND))
    }

    /// Executes an action with everything that the manager sent, including the source and the acting person.
    ///
    /// The server calls this method. By default it calls [`execute_action`](Self::execute_action).
    fn call_action(&self, call: ActionCall) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            self.execute_action(&call.action, call.params, call.credentials)
                .await
        })
    }

    /// Returns additional paths that other systems call, such as `/hooks/acme`. A segment `{name}` matches any value;
    /// `{source_id}` is a source of this connector.
    fn webhooks(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Handles a call of one of [`webhooks`](Self::webhooks). An error refuses it with the status of its
    /// [`ActionError`], or 500.
    fn call_webhook(&self, call: WebhookCall) -> BoxFuture<'_, Result<Webhook>> {
        let route = call.request.route();
        Box::pin(async move {
            Err(ActionError::not_found(format!("nothing is behind webhook `{route}`")).into())
        })
    }

    /// Returns the search operators, with the functions that read their values.
    fn operators(&self) -> Vec<Operator> {
        Vec::new()
    }

    /// Returns the search operators for registration. The default is those of [`operators`](Self::operators).
    fn search_operators(&self) -> Vec<SearchOperator> {
        Operator::definitions(&self.operators())
    }

    /// Returns the JSON Schemas of the three types above, from which `cargo omni dev` makes forms. They are not part of the
    /// manifest.
    fn type_schemas(&self) -> TypeSchemas {
        TypeSchemas::default()
    }

    /// Returns the JSON Schema of `metadata.extra`, in which Omni looks for e-mail addresses.
    fn extra_schema(&self) -> Option<Value> {
        None
    }

    /// Returns the JSON Schema of document attributes, in which Omni looks for e-mail addresses.
    fn attributes_schema(&self) -> Option<Value> {
        None
    }

    /// Returns instructions that teach a language model to use the connector.
    fn skills(&self) -> Vec<Skill> {
        Vec::new()
    }

    /// Returns how people sign in to the system.
    fn oauth_config(&self) -> Option<OAuthConfig> {
        None
    }

    /// Called after somebody signed in. Then the MCP server's lists are read with the new credential, and a changed
    /// manifest is registered.
    async fn credential_ready(
        &self,
        ready: CredentialReady,
        manager: &ManagerClient,
    ) -> Result<()> {
        let _ = (ready, manager);
        Ok(())
    }

    /// Adds data from the system to a new credential, such as the person's id there. Called at the path that
    /// [`OAuthConfig::enriched_at`] names.
    async fn enrich(&self, tokens: OAuthTokens) -> Result<OAuthExtra> {
        let _ = tokens;
        bail!("this connector adds nothing to credentials")
    }

    /// Returns the MCP server behind the connector. Its tools become actions in addition to [`actions`](Self::actions).
    /// Called once, when the process starts. Requires the feature `mcp`.
    fn mcp_server(&self) -> Option<McpServer> {
        None
    }

    /// Returns the environment variables that pass a credential's secret to an MCP server over stdio.
    fn prepare_mcp_env(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        let _ = credentials;
        Ok(HashMap::new())
    }

    /// Returns the headers that pass a credential's secret to an MCP server over HTTP.
    fn prepare_mcp_headers(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        let _ = credentials;
        Ok(HashMap::new())
    }
}

/// The JSON Schemas of a connector's own types, as they are decoded. `None` for a type without a schema.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TypeSchemas {
    /// Of [`Connector::Config`].
    pub config: Option<Value>,
    /// Of [`Connector::Credentials`].
    pub credentials: Option<Value>,
    /// Of [`Connector::State`].
    pub state: Option<Value>,
}

/// Makes the manifest of a connector at this URL.
pub(super) fn manifest_of(connector: &dyn Connector, connector_url: &str) -> Manifest {
    let source_types = connector.source_types();
    let actions = connector
        .actions()
        .into_iter()
        .map(|action| ManifestAction {
            required_scopes: connector.action_scopes(&action.name),
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
        name: connector.name().to_owned(),
        display_name: connector.display_name(),
        version: connector.version().to_owned(),
        sync_modes: connector.sync_modes(),
        connector_id: connector.name().to_owned(),
        connector_url: connector_url.trim_end_matches('/').to_owned(),
        integration_type: IntegrationType::Connector,
        actions: actions.collect(),
        source_types: source_types.iter().map(ToString::to_string).collect(),
        description: connector.description(),
        search_operators: connector.search_operators(),
        read_only: connector.read_only(),
        extra_schema: connector.extra_schema(),
        attributes_schema: connector.attributes_schema(),
        mcp_enabled: false,
        mcp_catalog_loaded: false,
        resources: Vec::new(),
        prompts: Vec::new(),
        skills: connector.skills(),
        oauth: connector
            .oauth_config()
            .map(|oauth| serde_json::to_value(oauth).unwrap_or_default()),
    }
}
