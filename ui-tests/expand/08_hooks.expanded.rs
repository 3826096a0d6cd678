//! What the struct's keys cannot say: whether a run may start, how people sign in, skills of the moment.
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
        _omni::Box::pin(async move {
            let returned = Self::reachable(connector, call.supply::<Config<Settings>>()?)
                .await;
            _omni::ended(returned)
        }));
        const OAUTH: _omni::Option<fn(&Self) -> _omni::OAuthConfig> = _omni::Some(
            Self::oauth,
        );
        const SKILLS: _omni::Option<fn(&Self) -> _omni::Vec<_omni::Skill>> = _omni::Some(
            Self::skills,
        );
    }
};
