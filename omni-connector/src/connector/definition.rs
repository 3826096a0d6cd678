//! The trait that a connector implements. The macros generate exactly this impl; it can also be written by hand.

use std::collections::HashMap;

use anyhow::{Result, bail};
use async_trait::async_trait;
use axum::{http::StatusCode, response::Response};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ActionCall, ActionError, ActionResponse, McpServer, Webhook, WebhookCall};
use crate::{
    manager::ManagerClient,
    run::{Operator, SyncContext},
    wire::{
        ActionDefinition, CredentialReady, McpCredentials, OAuthConfig, OAuthExtra, OAuthTokens,
        SearchOperator, ServiceCredential, Skill, Source, SourceType, SyncType,
    },
};

/// A connector: what it is, how it syncs, and what it can do.
///
/// Only [`name`](Self::name), [`version`](Self::version), [`source_types`](Self::source_types) and [`sync`](Self::sync)
/// must be written. The runtime does the rest: it decodes and validates, reserves the slot, completes or fails the run,
/// keeps it alive and reports a panic.
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
    /// Shape of `source.config`, checked before a run starts. [`Value`] opts out.
    type Config: DeserializeOwned + Send + 'static
    where
        Self: Sized;
    /// Shape of the credential's secret, checked before a run starts. [`Value`] opts out.
    type Credentials: DeserializeOwned + Send + 'static
    where
        Self: Sized;
    /// The checkpoint, as passed to [`sync`](Self::sync) and saved by [`SyncContext::save_checkpoint`].
    type State: DeserializeOwned + Send + 'static
    where
        Self: Sized;

    /// The connector's id: `a-z`, `0-9` and `_`.
    fn name(&self) -> &'static str;

    /// Its version, usually `env!("CARGO_PKG_VERSION")`.
    fn version(&self) -> &'static str;

    /// What people read; the name unless it is given.
    fn display_name(&self) -> String {
        self.name().to_owned()
    }

    /// What it connects, in a sentence.
    fn description(&self) -> Option<String> {
        None
    }

    /// The systems it serves.
    fn source_types(&self) -> Vec<SourceType>;

    /// What it can be asked for; full runs unless more is declared.
    fn sync_modes(&self) -> Vec<SyncType> {
        vec![SyncType::Full]
    }

    /// Whether every write action is blocked.
    fn read_only(&self) -> bool {
        false
    }

    /// Whether a run without credentials is refused before it starts.
    fn requires_credentials(&self) -> bool {
        false
    }

    /// A last look at a source before a run of this mode starts, beyond what the types say. An error refuses the run: one
    /// with an [`Unavailable`](super::Unavailable) in it with 404, any other with 400.
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

    /// One run. Returning `Ok` completes it; an error or a panic fails it with its message.
    ///
    /// `checkpoint` is where to go on. It is none in a full run that is no resume: such a run starts over, and the
    /// checkpoint of the last completed run is in `source.checkpoint` if it is needed.
    async fn sync(
        &self,
        source: Source,
        credentials: Option<ServiceCredential>,
        checkpoint: Option<Self::State>,
        ctx: SyncContext,
    ) -> Result<()>
    where
        Self: Sized;

    /// What it offers to do.
    fn actions(&self) -> Vec<ActionDefinition> {
        Vec::new()
    }

    /// The OAuth scopes that a person must have granted for an action; none when undeclared.
    fn action_scopes(&self, action: &str) -> Option<Vec<String>> {
        let _ = action;
        None
    }

    /// JSON Schema of an action's result, for callers that speak MCP; none when undeclared.
    fn action_output(&self, action: &str) -> Option<Value> {
        let _ = action;
        None
    }

    /// Runs an action by name.
    async fn execute_action(
        &self,
        action: &str,
        params: Value,
        credentials: Option<ServiceCredential>,
    ) -> Result<Response> {
        let _ = (params, credentials);
        Ok(ActionResponse::not_supported(action).into_response_with_status(StatusCode::NOT_FOUND))
    }

    /// Runs an action with everything the manager sent: the source and the acting person, too.
    ///
    /// The server calls this one; unless it is replaced it hands over to [`execute_action`](Self::execute_action).
    fn call_action(&self, call: ActionCall) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            self.execute_action(&call.action, call.params, call.credentials)
                .await
        })
    }

    /// Paths beside the protocol's that other systems call, such as `/hooks/acme`. A segment `{name}` stands for any text;
    /// `{source_id}` is a source of this connector.
    fn webhooks(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// What a call of one of [`webhooks`](Self::webhooks) leads to. An error refuses it with the status of the
    /// [`ActionError`] in it, or 500.
    fn call_webhook(&self, call: WebhookCall) -> BoxFuture<'_, Result<Webhook>> {
        let route = call.request.route();
        Box::pin(async move {
            Err(ActionError::not_found(format!("nothing is behind webhook `{route}`")).into())
        })
    }

    /// The operators together with the functions that read their values.
    fn operators(&self) -> Vec<Operator> {
        Vec::new()
    }

    /// The operators as registered; those of [`operators`](Self::operators) unless more are declared.
    fn search_operators(&self) -> Vec<SearchOperator> {
        Operator::definitions(&self.operators())
    }

    /// JSON Schema of `metadata.extra`, in which Omni looks for e-mail addresses.
    fn extra_schema(&self) -> Option<Value> {
        None
    }

    /// JSON Schema of document attributes, in which Omni looks for e-mail addresses.
    fn attributes_schema(&self) -> Option<Value> {
        None
    }

    /// Texts that teach a language model how to use the connector.
    fn skills(&self) -> Vec<Skill> {
        Vec::new()
    }

    /// How people sign in to the system.
    fn oauth_config(&self) -> Option<OAuthConfig> {
        None
    }

    /// Asked when somebody has signed in. Afterwards the lists of the MCP server are read with the new credential, and a
    /// manifest that changed is registered.
    async fn credential_ready(
        &self,
        ready: CredentialReady,
        manager: &ManagerClient,
    ) -> Result<()> {
        let _ = (ready, manager);
        Ok(())
    }

    /// Adds to a fresh credential what only the system knows, such as the person's id there. Answers at the path that
    /// [`OAuthConfig::enriched_at`] names.
    async fn enrich(&self, tokens: OAuthTokens) -> Result<OAuthExtra> {
        let _ = tokens;
        bail!("this connector adds nothing to credentials")
    }

    /// The MCP server behind the connector, whose tools become actions beside [`actions`](Self::actions). Asked once, when
    /// the process starts. It needs the feature `mcp` to have one.
    fn mcp_server(&self) -> Option<McpServer> {
        None
    }

    /// Environment variables with which an MCP server over stdio gets the secret of a credential.
    fn prepare_mcp_env(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        let _ = credentials;
        Ok(HashMap::new())
    }

    /// Headers with which an MCP server over HTTP gets the secret of a credential.
    fn prepare_mcp_headers(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        let _ = credentials;
        Ok(HashMap::new())
    }
}
