//! What the struct's keys cannot say: whether a run may start, how people sign in, skills of the moment.

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

    fn helper(&self) {}
}
