//! A read-only connector with skills, found under another path.
/// Wiki pages.
pub struct Wiki;
const _: () = {
    use ::omni::generated as _omni;
    impl _omni::Declared for Wiki {
        const NAME: &'static str = "wiki";
        const SOURCE_TYPES: &'static [_omni::SourceType] = &[
            _omni::SourceType::Confluence,
        ];
        const MODES: &'static [_omni::SyncType] = &[_omni::SyncType::Full];
        const ACTIONS: &'static [_omni::Action<Self>] = &[];
        const OPERATORS: &'static [_omni::Operator] = &[];
    }
    #[_omni::async_trait]
    impl _omni::Connector for Wiki {
        type Config = _omni::Value;
        type Credentials = _omni::Value;
        type State = _omni::Value;
        fn name(&self) -> &'static str {
            "wiki"
        }
        fn version(&self) -> &'static str {
            "2.1.0"
        }
        fn description(&self) -> _omni::Option<_omni::String> {
            _omni::Some(_omni::String::from("Wiki pages."))
        }
        fn read_only(&self) -> bool {
            true
        }
        fn extra_schema(&self) -> _omni::Option<_omni::Value> {
            _omni::Some(_omni::input_schema::<PageExtra>())
        }
        fn skills(&self) -> _omni::Vec<_omni::Skill> {
            _omni::skills(
                self,
                [
                    _omni::skill(
                        "style",
                        "House style",
                        _omni::None,
                        ::core::include_str!("style.md"),
                        &[],
                    ),
                    _omni::skill(
                        "tone",
                        "Tone",
                        _omni::None,
                        "Be kind.",
                        &[_omni::SourceType::Confluence],
                    ),
                ],
            )
        }
        fn source_types(&self) -> _omni::Vec<_omni::SourceType> {
            _omni::source_types::<Self>()
        }
        fn sync_modes(&self) -> _omni::Vec<_omni::SyncType> {
            _omni::sync_modes::<Self>()
        }
        fn requires_credentials(&self) -> bool {
            _omni::requires_credentials::<Self>()
        }
        async fn validate(
            &self,
            source: &_omni::Source,
            credentials: _omni::Option<&_omni::ServiceCredential>,
            manager: &_omni::ManagerClient,
        ) -> _omni::Result<()> {
            _omni::validate(self, source, credentials, manager).await
        }
        async fn sync(
            &self,
            _: _omni::Source,
            credentials: _omni::Option<_omni::ServiceCredential>,
            checkpoint: _omni::Option<Self::State>,
            ctx: _omni::SyncContext,
        ) -> _omni::Result<()> {
            _omni::sync(self, credentials, checkpoint, ctx).await
        }
        fn actions(&self) -> _omni::Vec<_omni::ActionDefinition> {
            _omni::actions::<Self>()
        }
        fn action_scopes(
            &self,
            action: &str,
        ) -> _omni::Option<_omni::Vec<_omni::String>> {
            _omni::action_scopes::<Self>(action)
        }
        fn action_output(&self, action: &str) -> _omni::Option<_omni::Value> {
            _omni::action_output::<Self>(action)
        }
        fn call_action(
            &self,
            call: _omni::ActionCall,
        ) -> _omni::BoxFuture<'_, _omni::Result<_omni::Response>> {
            _omni::call_action(self, call)
        }
        fn webhooks(&self) -> _omni::Vec<&'static str> {
            _omni::webhooks::<Self>()
        }
        fn call_webhook(
            &self,
            call: _omni::WebhookCall,
        ) -> _omni::BoxFuture<'_, _omni::Result<_omni::Webhook>> {
            _omni::call_webhook(self, call)
        }
        fn operators(&self) -> _omni::Vec<_omni::Operator> {
            _omni::operators::<Self>()
        }
        fn attributes_schema(&self) -> _omni::Option<_omni::Value> {
            _omni::attributes_schema::<Self>()
        }
        fn oauth_config(&self) -> _omni::Option<_omni::OAuthConfig> {
            _omni::oauth_config(self)
        }
        async fn credential_ready(
            &self,
            ready: _omni::CredentialReady,
            manager: &_omni::ManagerClient,
        ) -> _omni::Result<()> {
            _omni::credential_ready(self, ready, manager).await
        }
        async fn enrich(
            &self,
            tokens: _omni::OAuthTokens,
        ) -> _omni::Result<_omni::OAuthExtra> {
            _omni::enrich(self, tokens).await
        }
        fn mcp_server(&self) -> _omni::Option<_omni::McpServer> {
            _omni::mcp_server(self)
        }
        fn prepare_mcp_env(
            &self,
            credentials: &_omni::McpCredentials,
        ) -> _omni::Result<_omni::HashMap<_omni::String, _omni::String>> {
            _omni::prepare_mcp_env(self, credentials)
        }
        fn prepare_mcp_headers(
            &self,
            credentials: &_omni::McpCredentials,
        ) -> _omni::Result<_omni::HashMap<_omni::String, _omni::String>> {
            _omni::prepare_mcp_headers(self, credentials)
        }
    }
    const _: () = _omni::assert_synced::<Wiki>(_omni::SyncType::Full);
};
