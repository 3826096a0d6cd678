//! One method for each hook.

#[connector]
impl Acme {
    #[validate]
    async fn reachable(&self, config: Config<Settings>) -> Result<()> {
        self.ping(&config.api_url).await
    }

    #[oauth]
    fn oauth(&self) -> OAuthConfig {
        self.oauth.clone()
    }

    #[skills]
    fn skills(&self) -> Vec<Skill> {
        self.skills.clone()
    }

    #[credential_ready]
    async fn ready(&self, ready: CredentialReady, manager: ManagerClient) -> Result<()> {
        self.welcome(&ready, &manager).await
    }

    #[enrich]
    async fn enrich(&self, tokens: OAuthTokens) -> Result<OAuthExtra> {
        self.account(&tokens).await
    }

    #[mcp]
    fn server(&self) -> StdioMcpServer {
        self.server.clone()
    }

    #[mcp_env]
    fn env(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
        self.token(credentials)
    }

    #[mcp_headers]
    fn headers(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
        self.bearer(credentials)
    }

    fn helper(&self) {}
}
