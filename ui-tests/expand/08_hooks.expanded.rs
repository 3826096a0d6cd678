//! What the struct's keys cannot say: whether a run may start, how people sign in, which MCP server stands behind it, skills
//! of the moment.
impl Acme {
    #[allow(
        clippy::missing_errors_doc,
        clippy::needless_pass_by_value,
        clippy::unused_async,
        clippy::unused_self,
    )]
    async fn reachable(&self, config: Config<Settings>) -> Result<()> {
        self.ping(&config.api_url).await
    }
    fn oauth(&self) -> OAuthConfig {
        self.oauth.clone()
    }
    fn skills(&self) -> Vec<Skill> {
        self.skills.clone()
    }
    #[allow(
        clippy::missing_errors_doc,
        clippy::needless_pass_by_value,
        clippy::unused_async,
        clippy::unused_self,
    )]
    async fn ready(&self, ready: CredentialReady, manager: ManagerClient) -> Result<()> {
        self.welcome(&ready, &manager).await
    }
    #[allow(
        clippy::missing_errors_doc,
        clippy::needless_pass_by_value,
        clippy::unused_async,
        clippy::unused_self,
    )]
    async fn enrich(&self, tokens: OAuthTokens) -> Result<OAuthExtra> {
        self.account(&tokens).await
    }
    fn server(&self) -> StdioMcpServer {
        self.server.clone()
    }
    fn env(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
        self.token(credentials)
    }
    fn headers(
        &self,
        credentials: &McpCredentials,
    ) -> Result<[(&'static str, String); 1]> {
        self.bearer(credentials)
    }
    fn helper(&self) {}
}
const _: () = {
    use ::omni_connector::generated as _omni;
    impl _omni::Methods for Acme {
        const SYNCS: &'static [_omni::Sync<Self>] = &[];
        const ACTIONS: &'static [_omni::Action<Self>] = &[];
        const OPERATORS: &'static [_omni::Operator] = &[];
        const VALIDATE: _omni::Option<_omni::Validate<Self>> = _omni::Some(|
            connector,
            mut call|
        {
            let returned = Self::reachable(
                connector,
                call.supply::<Config<Settings>>()?,
            );
            _omni::Ok(_omni::Box::pin(async move { _omni::ended(returned.await) }))
        });
        const OAUTH: _omni::Option<fn(&Self) -> _omni::Option<_omni::OAuthConfig>> = _omni::Some(|
            connector|
        {
            let returned = Self::oauth(connector);
            _omni::oauth(returned)
        });
        const SKILLS: _omni::Option<fn(&Self) -> _omni::Vec<_omni::Skill>> = _omni::Some(|
            connector|
        {
            let returned = Self::skills(connector);
            _omni::skill_list(returned)
        });
        const CREDENTIAL_READY: _omni::Option<_omni::Ready<Self>> = _omni::Some(|
            connector,
            call,
            manager|
        {
            let returned = Self::ready(
                connector,
                _omni::asked::<CredentialReady, _omni::CredentialReady>(call),
                _omni::asked::<ManagerClient, _omni::ManagerClient>(manager),
            );
            _omni::Box::pin(async move { _omni::ended(returned.await) })
        });
        const ENRICH: _omni::Option<_omni::Enrich<Self>> = _omni::Some(|connector, call| {
            let returned = Self::enrich(
                connector,
                _omni::asked::<OAuthTokens, _omni::OAuthTokens>(call),
            );
            _omni::Box::pin(async move { _omni::enriched(returned.await) })
        });
        const MCP: _omni::Option<fn(&Self) -> _omni::Option<_omni::McpServer>> = _omni::Some(|
            connector|
        {
            let returned = Self::server(connector);
            _omni::server(returned)
        });
        const MCP_ENV: _omni::Option<_omni::Prepare<Self>> = _omni::Some(|
            connector,
            call|
        {
            let returned = Self::env(
                connector,
                _omni::asked::<&McpCredentials, &_omni::McpCredentials>(call),
            );
            _omni::pairs(returned)
        });
        const MCP_HEADERS: _omni::Option<_omni::Prepare<Self>> = _omni::Some(|
            connector,
            call|
        {
            let returned = Self::headers(
                connector,
                _omni::asked::<&McpCredentials, &_omni::McpCredentials>(call),
            );
            _omni::pairs(returned)
        });
    }
};
