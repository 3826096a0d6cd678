//! Implements [`Connector`] for annotated types. `#[connector]` generates [`Declared`] for the struct, and [`Methods`] for the
//! `impl` block.
//!
//! Generated code has only the author's declarations. All else is a default here, or follows from the tables.
//!
//! `Declared` and `Methods` require `Connector`, and every `Declared` type is a `Connector`. This is not circular: an impl of
//! `Declared` alone proves `Connector`. Because of the requirement, rustc reports a missing attribute as "not a connector".

use std::collections::HashMap;

use anyhow::{Result, bail};
use async_trait::async_trait;
use axum::{http::StatusCode, response::Response};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Action, DeclaredSkill, SchemaFn, Sync, WebhookFn, action,
    call::{self, CallOf, OfSync, OfValidate, Pending},
    hook::{self, Pairs},
    operator, sync, webhook,
};
use crate::{
    connector::{
        ActionCall, ActionResponse, Connector, McpServer, TypeSchemas, Webhook, WebhookCall,
    },
    manager::ManagerClient,
    run::{Operator, SyncContext},
    wire::{
        ActionDefinition, CredentialReady, McpCredentials, OAuthConfig, OAuthExtra, OAuthTokens,
        SearchOperator, ServiceCredential, Skill, Source, SourceType, SyncType,
    },
};

/// The hooks, and the methods that `#[replaces]` replaces. A row has the name, the constant in [`Methods`], the type of the
/// function and the type of its answer. Expands to `$with! { … }` with the rows.
macro_rules! functions {
    ($with:ident) => {
        $with! {
            /// `#[refetch]`: fetches one item again. It reads its arguments by their types.
            refetch REFETCH: RefetchHook = fn(&K, CallOf<K, OfSync>) -> Pending<'_, ()>, RefetchAnswer = Result<()>;
            /// `#[validate]`: whether a run may start. It reads its arguments by their types.
            validate VALIDATE: ValidateHook = fn(&K, CallOf<K, OfValidate>) -> Pending<'_, ()>, ValidateAnswer = Result<()>;
            /// `#[oauth]`: how people sign in.
            oauth OAUTH: OauthHook = fn(&K) -> OauthAnswer, OauthAnswer = Option<OAuthConfig>;
            /// `#[skills]`: skills that are not known when compiling.
            skills SKILLS: SkillsHook = fn(&K) -> SkillsAnswer, SkillsAnswer = Vec<Skill>;
            /// `#[credential_ready]`: called after somebody has signed in.
            credential_ready CREDENTIAL_READY: CredentialReadyHook = fn(&K, CredentialReady, ManagerClient) -> Pending<'_, ()>, CredentialReadyAnswer = Result<()>;
            /// `#[enrich]`: adds to a fresh credential.
            enrich ENRICH: EnrichHook = fn(&K, OAuthTokens) -> Pending<'_, OAuthExtra>, EnrichAnswer = Result<OAuthExtra>;
            /// `#[mcp]`: the MCP server behind the connector.
            mcp MCP: McpHook = fn(&K) -> McpAnswer, McpAnswer = Option<McpServer>;
            /// `#[mcp_env]`: how that server gets the secret over stdio.
            mcp_env MCP_ENV: McpEnvHook = fn(&K, &McpCredentials) -> McpEnvAnswer, McpEnvAnswer = Pairs;
            /// `#[mcp_headers]`: how that server gets the secret over HTTP.
            mcp_headers MCP_HEADERS: McpHeadersHook = fn(&K, &McpCredentials) -> McpHeadersAnswer, McpHeadersAnswer = Pairs;

            // Methods with `#[replaces]`, each of which replaces the method of the trait that has its name.
            display_name REPLACED_DISPLAY_NAME: DisplayNameHook = fn(&K) -> DisplayNameAnswer, DisplayNameAnswer = String;
            description REPLACED_DESCRIPTION: DescriptionHook = fn(&K) -> DescriptionAnswer, DescriptionAnswer = Option<String>;
            source_types REPLACED_SOURCE_TYPES: SourceTypesHook = fn(&K) -> SourceTypesAnswer, SourceTypesAnswer = Vec<SourceType>;
            sync_modes REPLACED_SYNC_MODES: SyncModesHook = fn(&K) -> SyncModesAnswer, SyncModesAnswer = Vec<SyncType>;
            read_only REPLACED_READ_ONLY: ReadOnlyHook = fn(&K) -> ReadOnlyAnswer, ReadOnlyAnswer = bool;
            requires_credentials REPLACED_REQUIRES_CREDENTIALS: RequiresCredentialsHook = fn(&K) -> RequiresCredentialsAnswer, RequiresCredentialsAnswer = bool;
            actions REPLACED_ACTIONS: ActionsHook = fn(&K) -> ActionsAnswer, ActionsAnswer = Vec<ActionDefinition>;
            action_scopes REPLACED_ACTION_SCOPES: ActionScopesHook = fn(&K, &str) -> ActionScopesAnswer, ActionScopesAnswer = Option<Vec<String>>;
            action_output REPLACED_ACTION_OUTPUT: ActionOutputHook = fn(&K, &str) -> ActionOutputAnswer, ActionOutputAnswer = Option<Value>;
            call_action REPLACED_CALL_ACTION: CallActionHook = fn(&K, ActionCall) -> Pending<'_, Response>, CallActionAnswer = Result<Response>;
            webhooks REPLACED_WEBHOOKS: WebhooksHook = fn(&K) -> WebhooksAnswer, WebhooksAnswer = Vec<&'static str>;
            call_webhook REPLACED_CALL_WEBHOOK: CallWebhookHook = fn(&K, WebhookCall) -> Pending<'_, Webhook>, CallWebhookAnswer = Result<Webhook>;
            operators REPLACED_OPERATORS: OperatorsHook = fn(&K) -> OperatorsAnswer, OperatorsAnswer = Vec<Operator>;
            search_operators REPLACED_SEARCH_OPERATORS: SearchOperatorsHook = fn(&K) -> SearchOperatorsAnswer, SearchOperatorsAnswer = Vec<SearchOperator>;
            extra_schema REPLACED_EXTRA_SCHEMA: ExtraSchemaHook = fn(&K) -> ExtraSchemaAnswer, ExtraSchemaAnswer = Option<Value>;
            attributes_schema REPLACED_ATTRIBUTES_SCHEMA: AttributesSchemaHook = fn(&K) -> AttributesSchemaAnswer, AttributesSchemaAnswer = Option<Value>;
        }
    };
}

macro_rules! types {
    ($($(#[$doc:meta])* $name:ident $constant:ident: $hook:ident = $function:ty, $answer:ident = $answer_type:ty;)*) => {
        $(
            #[doc = concat!("The answer of `", stringify!($name), "`.")]
            pub type $answer = $answer_type;
            #[doc = concat!("The function behind `", stringify!($name), "`.")]
            pub type $hook<K> = Option<$function>;
        )*
    };
}

functions!(types);

macro_rules! constants {
    ($($(#[$doc:meta])* $name:ident $constant:ident: $hook:ident = $function:ty, $answer:ident = $answer_type:ty;)*) => {
        $(
            $(#[$doc])*
            #[doc = concat!("The function behind `", stringify!($name), "`.")]
            const $constant: $hook<Self> = None;
        )*
    };
}

/// The block with the annotated functions of a connector.
///
/// `B` is a type that only this block has. So two blocks of one connector are two impls, which rustc accepts. [`table_of`] refuses
/// them, with the message below.
#[diagnostic::on_unimplemented(
    message = "`{Self}` needs one `impl` block with `#[connector]`",
    label = "has no such block, or several",
    note = "help: put `#[connector]` on one `impl {Self}`, `#[sync]` on one of its methods, and all annotated functions in it"
)]
pub trait Methods<B>: Connector + Sized {
    /// Methods with `#[sync]`.
    const SYNC_METHODS: &'static [Sync<Self>] = &[];
    /// Methods with `#[action]`.
    const ACTION_METHODS: &'static [Action<Self>] = &[];
    /// Functions with `#[search_operator]`.
    const OPERATOR_METHODS: &'static [Operator] = &[];
    /// Methods with `#[webhook]`.
    const WEBHOOK_METHODS: &'static [WebhookFn<Self>] = &[];

    functions!(constants);
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident $constant:ident: $hook:ident = $function:ty, $answer:ident = $answer_type:ty;)*) => {
        /// The constants of [`Methods`], without the type of their block.
        #[derive(Debug)]
        pub struct Table<K: 'static> {
            pub(super) sync_methods: &'static [Sync<K>],
            pub(super) action_methods: &'static [Action<K>],
            pub(super) operator_methods: &'static [Operator],
            pub(super) webhook_methods: &'static [WebhookFn<K>],
            $(pub(super) $name: $hook<K>,)*
        }

        impl<K> Table<K> {
            const fn of<B>() -> Self
            where
                K: Methods<B>,
            {
                Self {
                    sync_methods: K::SYNC_METHODS,
                    action_methods: K::ACTION_METHODS,
                    operator_methods: K::OPERATOR_METHODS,
                    webhook_methods: K::WEBHOOK_METHODS,
                    $($name: K::$constant,)*
                }
            }
        }
    };
}

functions!(table);

/// Returns the functions of the connector's only block. Generated code leaves `B` to be inferred, from a closure that never
/// returns. With one block, rustc infers its type. With none or several it falls back to `()`, and reports that [`Methods`] is not
/// implemented.
pub const fn table_of<K: Methods<B>, B>(_: fn() -> B) -> Table<K> {
    Table::of::<B>()
}

/// The keys of `#[connector(…)]` on a connector's struct.
pub trait Declared: Connector + Sized {
    /// `config = …`.
    type Config: DeserializeOwned + Send + 'static;
    /// `credentials = …`.
    type Credentials: DeserializeOwned + Send + 'static;
    /// `state = …`.
    type State: DeserializeOwned + Send + 'static;

    /// The functions of the `impl` block.
    const TABLE: Table<Self>;
    /// `name = "…"`.
    const NAME: &'static str;
    /// `version = "…"`, or the version of the author's crate.
    const VERSION: &'static str;
    /// `display_name = "…"`.
    const DISPLAY_NAME: Option<&'static str> = None;
    /// `description = "…"`, or the doc comment.
    const DESCRIPTION: Option<&'static str> = None;
    /// `source_types = […]`.
    const SOURCE_TYPES: &'static [SourceType];
    /// `sync_modes = […]`.
    const SYNC_MODES: &'static [SyncType] = &[SyncType::Full];
    /// `actions = […]`.
    const LISTED_ACTIONS: &'static [Action<Self>] = &[];
    /// `search_operators = […]`.
    const LISTED_OPERATORS: &'static [Operator] = &[];
    /// `skill(…)`.
    const DECLARED_SKILLS: &'static [DeclaredSkill] = &[];
    /// `extra = …`.
    const EXTRA: Option<SchemaFn> = None;
    /// The schema of `config = …`.
    const CONFIG_SCHEMA: Option<SchemaFn> = None;
    /// The schema of `credentials = …`.
    const CREDENTIALS_SCHEMA: Option<SchemaFn> = None;
    /// The schema of `state = …`.
    const STATE_SCHEMA: Option<SchemaFn> = None;
    /// `read_only`.
    const READ_ONLY: bool = false;

    /// `mcp = …`.
    fn mcp(&self) -> Option<McpServer> {
        None
    }
}

// `do_not_recommend`: errors should name the missing attribute, not the trait behind it. With the lint, clippy names each method of
// `Connector` that is missing here.
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
        let replaced = K::TABLE.display_name;
        let declared = || K::DISPLAY_NAME.unwrap_or(K::NAME).to_owned();
        replaced.map_or_else(declared, |name| name(self))
    }

    fn description(&self) -> Option<String> {
        match K::TABLE.description {
            Some(description) => description(self),
            None => K::DESCRIPTION.map(str::to_owned),
        }
    }

    fn source_types(&self) -> Vec<SourceType> {
        let replaced = K::TABLE.source_types;
        replaced.map_or_else(|| K::SOURCE_TYPES.to_vec(), |types| types(self))
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        let replaced = K::TABLE.sync_modes;
        replaced.map_or_else(|| K::SYNC_MODES.to_vec(), |modes| modes(self))
    }

    fn read_only(&self) -> bool {
        let replaced = K::TABLE.read_only;
        replaced.map_or(K::READ_ONLY, |read_only| read_only(self))
    }

    fn requires_credentials(&self) -> bool {
        let replaced = K::TABLE.requires_credentials;
        replaced.map_or_else(sync::requires_credentials::<K>, |requires| requires(self))
    }

    async fn validate(
        &self,
        mode: SyncType,
        source: &Source,
        credentials: Option<&ServiceCredential>,
        manager: &ManagerClient,
    ) -> Result<()> {
        let Some(validate) = K::TABLE.validate else {
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
        let replaced = K::TABLE.actions;
        replaced.map_or_else(action::actions::<K>, |actions| actions(self))
    }

    fn action_scopes(&self, name: &str) -> Option<Vec<String>> {
        match K::TABLE.action_scopes {
            Some(scopes) => scopes(self, name),
            None => action::action_scopes::<K>(name),
        }
    }

    fn action_output(&self, name: &str) -> Option<Value> {
        let replaced = K::TABLE.action_output;
        replaced.map_or_else(
            || action::action_output::<K>(name),
            |output| output(self, name),
        )
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
        match K::TABLE.call_action {
            Some(replaced) => replaced(self, call).unwrap_or_else(call::refused),
            None => action::call_action(self, call),
        }
    }

    fn webhooks(&self) -> Vec<&'static str> {
        let replaced = K::TABLE.webhooks;
        replaced.map_or_else(webhook::webhooks::<K>, |webhooks| webhooks(self))
    }

    fn call_webhook(&self, call: WebhookCall) -> BoxFuture<'_, Result<Webhook>> {
        match K::TABLE.call_webhook {
            Some(replaced) => replaced(self, call).unwrap_or_else(call::refused),
            None => webhook::call_webhook(self, call),
        }
    }

    fn operators(&self) -> Vec<Operator> {
        match K::TABLE.operators {
            Some(operators) => operators(self),
            None => operator::operators::<K>(),
        }
    }

    fn search_operators(&self) -> Vec<SearchOperator> {
        match K::TABLE.search_operators {
            Some(operators) => operators(self),
            None => Operator::definitions(&self.operators()),
        }
    }

    fn type_schemas(&self) -> TypeSchemas {
        TypeSchemas {
            config: K::CONFIG_SCHEMA.map(|schema| schema()),
            credentials: K::CREDENTIALS_SCHEMA.map(|schema| schema()),
            state: K::STATE_SCHEMA.map(|schema| schema()),
        }
    }

    fn extra_schema(&self) -> Option<Value> {
        match K::TABLE.extra_schema {
            Some(schema) => schema(self),
            None => K::EXTRA.map(|schema| schema()),
        }
    }

    fn attributes_schema(&self) -> Option<Value> {
        match K::TABLE.attributes_schema {
            Some(schema) => schema(self),
            None => operator::attributes_schema(&self.operators()),
        }
    }

    fn skills(&self) -> Vec<Skill> {
        let declared = K::DECLARED_SKILLS.iter().map(DeclaredSkill::to_skill);
        let more = K::TABLE.skills.into_iter();
        declared.chain(more.flat_map(|more| more(self))).collect()
    }

    fn oauth_config(&self) -> Option<OAuthConfig> {
        K::TABLE.oauth.and_then(|oauth| oauth(self))
    }

    async fn credential_ready(
        &self,
        ready: CredentialReady,
        manager: &ManagerClient,
    ) -> Result<()> {
        match K::TABLE.credential_ready {
            Some(hook) => hook(self, ready, manager.clone())?.await,
            None => Ok(()),
        }
    }

    async fn enrich(&self, tokens: OAuthTokens) -> Result<OAuthExtra> {
        match K::TABLE.enrich {
            Some(enrich) => enrich(self, tokens)?.await,
            None => bail!("this connector adds nothing to credentials"),
        }
    }

    fn mcp_server(&self) -> Option<McpServer> {
        match K::TABLE.mcp {
            Some(server) => server(self),
            None => self.mcp(),
        }
    }

    fn prepare_mcp_env(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        hook::pairs(K::TABLE.mcp_env.map(|env| env(self, credentials)))
    }

    fn prepare_mcp_headers(&self, credentials: &McpCredentials) -> Result<HashMap<String, String>> {
        let headers = K::TABLE.mcp_headers;
        hook::pairs(headers.map(|headers| headers(self, credentials)))
    }
}
