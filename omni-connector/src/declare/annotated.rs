//! Makes an annotated connector a [`Connector`], from what `#[connector]` writes for its struct and its `impl` block.
//!
//! Generated code states only the author's declarations. Everything else is a default here, or follows from the tables.

use std::collections::HashMap;

use anyhow::{Result, bail};
use async_trait::async_trait;
use axum::{http::StatusCode, response::Response};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Action, SchemaFn, Sync, WebhookFn, action,
    call::{CallOf, Called, OfValidate},
    hook::Pairs,
    operator, sync, webhook,
};
use crate::{
    connector::{ActionCall, ActionResponse, Connector, McpServer, Webhook, WebhookCall},
    manager::ManagerClient,
    run::{Operator, SyncContext},
    wire::{
        ActionDefinition, CredentialReady, McpCredentials, OAuthConfig, OAuthExtra, OAuthTokens,
        SearchOperator, ServiceCredential, Skill, Source, SourceType, SyncType,
    },
};

/// The result of a method with `#[validate]`.
pub type ValidateAnswer = Result<()>;
/// The method with `#[validate]`: reads its arguments by their types.
pub type ValidateHook<K> = Option<fn(&K, CallOf<K, OfValidate>) -> Called<'_, ()>>;

/// The result of a method with `#[oauth]`.
pub type OauthAnswer = Option<OAuthConfig>;
/// The method with `#[oauth]`.
pub type OauthHook<K> = Option<fn(&K) -> OauthAnswer>;

/// The result of a method with `#[skills]`.
pub type SkillsAnswer = Vec<Skill>;
/// The method with `#[skills]`.
pub type SkillsHook<K> = Option<fn(&K) -> SkillsAnswer>;

/// The result of a method with `#[credential_ready]`.
pub type CredentialReadyAnswer = Result<()>;
/// The method with `#[credential_ready]`.
pub type CredentialReadyHook<K> = Option<fn(&K, CredentialReady, ManagerClient) -> Called<'_, ()>>;

/// The result of a method with `#[enrich]`.
pub type EnrichAnswer = Result<OAuthExtra>;
/// The method with `#[enrich]`.
pub type EnrichHook<K> = Option<fn(&K, OAuthTokens) -> Called<'_, OAuthExtra>>;

/// The result of a method with `#[mcp]`.
pub type McpAnswer = Option<McpServer>;
/// The method with `#[mcp]`.
pub type McpHook<K> = Option<fn(&K) -> McpAnswer>;

/// The result of a method with `#[mcp_env]`.
pub type McpEnvAnswer = Result<Pairs>;
/// The method with `#[mcp_env]`.
pub type McpEnvHook<K> = Option<fn(&K, &McpCredentials) -> McpEnvAnswer>;

/// The result of a method with `#[mcp_headers]`.
pub type McpHeadersAnswer = Result<Pairs>;
/// The method with `#[mcp_headers]`.
pub type McpHeadersHook<K> = Option<fn(&K, &McpCredentials) -> McpHeadersAnswer>;

/// The annotated functions of a connector, collected by `#[connector]` on its `impl` block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no annotated `impl` block",
    label = "this connector cannot sync anything yet",
    note = "help: put `#[connector]` on `impl {Self}` and `#[sync]` on one of its methods"
)]
pub trait Methods: Connector + Sized {
    /// Methods with `#[sync]`.
    const SYNCS: &'static [Sync<Self>] = &[];
    /// Methods with `#[action]`.
    const ACTIONS: &'static [Action<Self>] = &[];
    /// Functions with `#[search_operator]`.
    const OPERATORS: &'static [Operator] = &[];
    /// Methods with `#[webhook]`.
    const WEBHOOKS: &'static [WebhookFn<Self>] = &[];
    /// Decides whether a run may start.
    const VALIDATE: ValidateHook<Self> = None;
    /// Describes how people sign in.
    const OAUTH: OauthHook<Self> = None;
    /// Returns skills that are not known at compile time.
    const SKILLS: SkillsHook<Self> = None;
    /// Called after somebody signed in.
    const CREDENTIAL_READY: CredentialReadyHook<Self> = None;
    /// Adds data to a new credential.
    const ENRICH: EnrichHook<Self> = None;
    /// Declares the MCP server behind the connector.
    const MCP: McpHook<Self> = None;
    /// Passes the secret to that server over stdio.
    const MCP_ENV: McpEnvHook<Self> = None;
    /// Passes the secret to that server over HTTP.
    const MCP_HEADERS: McpHeadersHook<Self> = None;
}

/// The keys of `#[connector(…)]` on a connector's struct.
pub trait Declared: Methods {
    /// `config = …`.
    type Config: DeserializeOwned + Send + 'static;
    /// `credentials = …`.
    type Credentials: DeserializeOwned + Send + 'static;
    /// `state = …`.
    type State: DeserializeOwned + Send + 'static;

    /// `name = "…"`.
    const NAME: &'static str;
    /// `version = "…"`, or the version of the author's crate.
    const VERSION: &'static str;
    /// `display_name = "…"`.
    const DISPLAY_NAME: &'static str = Self::NAME;
    /// `description = "…"`, or the doc comment.
    const DESCRIPTION: &'static str = "";
    /// `source_types = […]`.
    const SOURCE_TYPES: &'static [SourceType];
    /// `sync_modes = […]`.
    const MODES: &'static [SyncType] = &[SyncType::Full];
    /// `actions = […]`.
    const ACTIONS: &'static [Action<Self>] = &[];
    /// `search_operators = […]`.
    const OPERATORS: &'static [Operator] = &[];
    /// `skill(…)`.
    const SKILLS: &'static [DeclaredSkill] = &[];
    /// `extra = …`.
    const EXTRA: Option<SchemaFn> = None;
    /// `read_only`.
    const READ_ONLY: bool = false;

    /// `mcp = …`.
    fn mcp(&self) -> Option<McpServer> {
        None
    }
}

/// A skill declared in the attribute of a struct.
#[derive(Debug)]
pub struct DeclaredSkill {
    /// Its id.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// When to use it.
    pub description: Option<&'static str>,
    /// Its instructions.
    pub text: &'static str,
    /// The source types that it applies to. Empty means all.
    pub source_types: &'static [SourceType],
}

impl DeclaredSkill {
    fn to_skill(&self) -> Skill {
        Skill {
            id: self.id.to_owned(),
            title: self.title.to_owned(),
            description: self.description.map(str::to_owned),
            source_types: self.source_types.to_vec(),
            content: Some(self.text.to_owned()),
            mcp_prompt: None,
        }
    }
}

// Errors should name the missing attribute, not the trait behind it. Clippy names each method of `Connector` that is
// forgotten here.
#[diagnostic::do_not_recommend]
#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<K: Declared> Connector for K {
    type Config = <K as Declared>::Config;
    type Credentials = <K as Declared>::Credentials;
    type State = <K as Declared>::State;

    fn name(&self) -> &'static str {
        K::NAME
    }

    fn version(&self) -> &'static str {
        K::VERSION
    }

    fn display_name(&self) -> String {
        K::DISPLAY_NAME.to_owned()
    }

    fn description(&self) -> Option<String> {
        (!K::DESCRIPTION.is_empty()).then(|| K::DESCRIPTION.to_owned())
    }

    fn source_types(&self) -> Vec<SourceType> {
        K::SOURCE_TYPES.to_vec()
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        K::MODES.to_vec()
    }

    fn read_only(&self) -> bool {
        K::READ_ONLY
    }

    fn requires_credentials(&self) -> bool {
        sync::requires_credentials::<K>()
    }

    async fn validate(
        &self,
        mode: SyncType,
        source: &Source,
        credentials: Option<&ServiceCredential>,
        manager: &ManagerClient,
    ) -> Result<()> {
        let Some(validate) = K::VALIDATE else {
            return Ok(());
        };
        let call = CallOf::new(OfValidate {
            mode,
            source: source.clone(),
            credentials: credentials.cloned(),
            manager: manager.clone(),
        });
        validate(self, call)?.await
    }

    async fn sync(
        &self,
        _: Source,
        credentials: Option<ServiceCredential>,
        checkpoint: Option<<K as Connector>::State>,
        ctx: SyncContext,
    ) -> Result<()> {
        sync::sync(self, credentials, checkpoint, ctx).await
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        action::actions::<K>()
    }

    fn action_scopes(&self, name: &str) -> Option<Vec<String>> {
        action::action_scopes::<K>(name)
    }

    fn action_output(&self, name: &str) -> Option<Value> {
        action::action_output::<K>(name)
    }

    async fn execute_action(
        &self,
        name: &str,
        _: Value,
        _: Option<ServiceCredential>,
    ) -> Result<Response> {
        // An annotated function may need values that only `call_action` has.
        Ok(ActionResponse::not_supported(name).into_response_with_status(StatusCode::NOT_FOUND))
    }

    fn call_action(&self, call: ActionCall) -> BoxFuture<'_, Result<Response>> {
        action::call_action(self, call)
    }

    fn webhooks(&self) -> Vec<&'static str> {
        webhook::webhooks::<K>()
    }

    fn call_webhook(&self, call: WebhookCall) -> BoxFuture<'_, Result<Webhook>> {
        webhook::call_webhook(self, call)
    }

    fn operators(&self) -> Vec<Operator> {
        [<K as Methods>::OPERATORS, <K as Declared>::OPERATORS].concat()
    }

    fn search_operators(&self) -> Vec<SearchOperator> {
        Operator::definitions(&self.operators())
    }

    fn extra_schema(&self) -> Option<Value> {
        K::EXTRA.map(|schema| schema())
    }

    fn attributes_schema(&self) -> Option<Value> {
        operator::attributes_schema(&self.operators())
    }

    fn skills(&self) -> Vec<Skill> {
        let declared = <K as Declared>::SKILLS.iter();
        let mut skills: Vec<_> = declared.map(DeclaredSkill::to_skill).collect();
        skills.extend(
            <K as Methods>::SKILLS
                .into_iter()
                .flat_map(|more| more(self)),
        );
        skills
    }

    fn oauth_config(&self) -> Option<OAuthConfig> {
        K::OAUTH.and_then(|oauth| oauth(self))
    }

    async fn credential_ready(
        &self,
        ready: CredentialReady,
        manager: &ManagerClient,
    ) -> Result<()> {
        match K::CREDENTIAL_READY {
            Some(hook) => hook(self, ready, manager.clone())?.await,
            None => Ok(()),
        }
    }

    async fn enrich(&self, tokens: OAuthTokens) -> Result<OAuthExtra> {
        match K::ENRICH {
            Some(enrich) => enrich(self, tokens)?.await,
            None => bail!("this connector adds nothing to credentials"),
        }
    }

    fn mcp_server(&self) -> Option<McpServer> {
        match K::MCP {
            Some(server) => server(self),
            None => self.mcp(),
        }
    }

    fn prepare_mcp_env(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        pairs(K::MCP_ENV.map(|env| env(self, credentials)))
    }

    fn prepare_mcp_headers(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        pairs(K::MCP_HEADERS.map(|headers| headers(self, credentials)))
    }
}

fn pairs(prepared: Option<Result<Pairs>>) -> Result<HashMap<String, String>> {
    let pairs = prepared.transpose()?.map(|Pairs(pairs)| pairs);
    Ok(pairs.unwrap_or_default())
}

/// Returns all actions of a connector, those of its `impl` block first.
pub(super) fn all_actions<K: Declared>() -> impl Iterator<Item = &'static Action<K>> {
    <K as Methods>::ACTIONS
        .iter()
        .chain(<K as Declared>::ACTIONS)
}
