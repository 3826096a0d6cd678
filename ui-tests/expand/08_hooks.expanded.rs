//! One method for each hook.
impl Acme {
    #[allow(clippy::needless_pass_by_value)]
    async fn reachable(&self, config: Config<Settings>) -> Result<()> {
        self.ping(&config.api_url).await
    }
    fn oauth(&self) -> OAuthConfig {
        self.oauth.clone()
    }
    fn skills(&self) -> Vec<Skill> {
        self.skills.clone()
    }
    #[allow(clippy::needless_pass_by_value)]
    async fn ready(&self, ready: CredentialReady, manager: ManagerClient) -> Result<()> {
        self.welcome(&ready, &manager).await
    }
    #[allow(clippy::needless_pass_by_value)]
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
        const VALIDATE: _omni::ValidateHook<Self> = _omni::Some(|
            connector: &Self,
            mut call|
        {
            let future = connector.reachable(call.supply::<Config<Settings>>()?);
            _omni::pending(future, _omni::hook_answer::<_omni::ValidateAnswer>)
        });
        const OAUTH: _omni::OauthHook<Self> = _omni::Some(|connector: &Self| {
            let returned = connector.oauth();
            _omni::hook_answer::<_omni::OauthAnswer>(returned)
        });
        const SKILLS: _omni::SkillsHook<Self> = _omni::Some(|connector: &Self| {
            let returned = connector.skills();
            _omni::hook_answer::<_omni::SkillsAnswer>(returned)
        });
        const CREDENTIAL_READY: _omni::CredentialReadyHook<Self> = _omni::Some(|
            connector: &Self,
            ready,
            manager|
        {
            let future = connector
                .ready(
                    _omni::hook_argument::<
                        CredentialReady,
                        _omni::CredentialReady,
                    >(ready),
                    _omni::hook_argument::<ManagerClient, _omni::ManagerClient>(manager),
                );
            _omni::pending(future, _omni::hook_answer::<_omni::CredentialReadyAnswer>)
        });
        const ENRICH: _omni::EnrichHook<Self> = _omni::Some(|connector: &Self, tokens| {
            let future = connector
                .enrich(_omni::hook_argument::<OAuthTokens, _omni::OAuthTokens>(tokens));
            _omni::pending(future, _omni::hook_answer::<_omni::EnrichAnswer>)
        });
        const MCP: _omni::McpHook<Self> = _omni::Some(|connector: &Self| {
            let returned = connector.server();
            _omni::hook_answer::<_omni::McpAnswer>(returned)
        });
        const MCP_ENV: _omni::McpEnvHook<Self> = _omni::Some(|
            connector: &Self,
            credentials|
        {
            let returned = connector
                .env(
                    _omni::hook_argument::<
                        &McpCredentials,
                        &_omni::McpCredentials,
                    >(credentials),
                );
            _omni::pairs_answer(returned)
        });
        const MCP_HEADERS: _omni::McpHeadersHook<Self> = _omni::Some(|
            connector: &Self,
            credentials|
        {
            let returned = connector
                .headers(
                    _omni::hook_argument::<
                        &McpCredentials,
                        &_omni::McpCredentials,
                    >(credentials),
                );
            _omni::pairs_answer(returned)
        });
    }
};
