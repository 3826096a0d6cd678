//! The struct: its keys become the trait impl.
/// Issues and comments of Acme Tracker.
struct Acme {
    http: HttpClient,
}
const _: () = {
    use ::omni_connector::generated as _omni;
    impl _omni::Declared for Acme {
        const NAME: &'static str = "acme";
        const SOURCE_TYPES: &'static [_omni::SourceType] = &[
            _omni::SourceType::Jira,
            _omni::SourceType::Confluence,
        ];
        const MODES: &'static [_omni::SyncType] = &[
            _omni::SyncType::Full,
            _omni::SyncType::Incremental,
        ];
        const ACTIONS: &'static [_omni::Action<Self>] = &[
            <reports::monthly as _omni::ActionFn<Self>>::ACTION,
        ];
        const OPERATORS: &'static [_omni::Operator] = &[
            <issues::project as _omni::OperatorFn>::OPERATOR,
        ];
    }
    #[_omni::async_trait]
    impl _omni::Connector for Acme {
        type Config = Settings;
        type Credentials = ApiKey;
        type State = Cursor;
        fn name(&self) -> &'static str {
            "acme"
        }
        fn version(&self) -> &'static str {
            ::core::env!("CARGO_PKG_VERSION")
        }
        fn display_name(&self) -> _omni::String {
            _omni::String::from("Acme Tracker")
        }
        fn description(&self) -> _omni::Option<_omni::String> {
            _omni::Some(_omni::String::from("Issues and comments of Acme Tracker."))
        }
        fn skills(&self) -> _omni::Vec<_omni::Skill> {
            _omni::skills(self, [])
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
    const _: () = _omni::assert_unique_action::<Acme>(0);
    const _: () = _omni::assert_unique_operator::<Acme>(0);
    const _: () = _omni::assert_synced::<Acme>(_omni::SyncType::Full);
    const _: () = _omni::assert_synced::<Acme>(_omni::SyncType::Incremental);
};
