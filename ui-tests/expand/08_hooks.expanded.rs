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
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    pub struct Block;
    impl _omni::Methods<Block> for Acme {
        const VALIDATE: _omni::ValidateHook<Self> = _omni::Some(|connector, mut call| {
            let returned = Self::reachable(
                connector,
                call.supply::<Config<Settings>>()?,
            );
            _omni::called(async move {
                _omni::returned::<_omni::ValidateAnswer>(returned.await)
            })
        });
        const OAUTH: _omni::OauthHook<Self> = _omni::Some(|connector| {
            let returned = Self::oauth(connector);
            _omni::returned::<_omni::OauthAnswer>(returned)
        });
        const SKILLS: _omni::SkillsHook<Self> = _omni::Some(|connector| {
            let returned = Self::skills(connector);
            _omni::returned::<_omni::SkillsAnswer>(returned)
        });
        const CREDENTIAL_READY: _omni::CredentialReadyHook<Self> = _omni::Some(|
            connector,
            ready,
            manager|
        {
            let returned = Self::ready(
                connector,
                _omni::asked::<CredentialReady, _omni::CredentialReady>(ready),
                _omni::asked::<ManagerClient, _omni::ManagerClient>(manager),
            );
            _omni::called(async move {
                _omni::returned::<_omni::CredentialReadyAnswer>(returned.await)
            })
        });
        const ENRICH: _omni::EnrichHook<Self> = _omni::Some(|connector, tokens| {
            let returned = Self::enrich(
                connector,
                _omni::asked::<OAuthTokens, _omni::OAuthTokens>(tokens),
            );
            _omni::called(async move {
                _omni::returned::<_omni::EnrichAnswer>(returned.await)
            })
        });
        const MCP: _omni::McpHook<Self> = _omni::Some(|connector| {
            let returned = Self::server(connector);
            _omni::returned::<_omni::McpAnswer>(returned)
        });
        const MCP_ENV: _omni::McpEnvHook<Self> = _omni::Some(|connector, credentials| {
            let returned = Self::env(
                connector,
                _omni::asked::<&McpCredentials, &_omni::McpCredentials>(credentials),
            );
            _omni::returned::<_omni::McpEnvAnswer>(returned)
        });
        const MCP_HEADERS: _omni::McpHeadersHook<Self> = _omni::Some(|
            connector,
            credentials|
        {
            let returned = Self::headers(
                connector,
                _omni::asked::<&McpCredentials, &_omni::McpCredentials>(credentials),
            );
            _omni::returned::<_omni::McpHeadersAnswer>(returned)
        });
    }
};
