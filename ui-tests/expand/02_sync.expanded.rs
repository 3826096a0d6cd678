//! Syncs: one for everything, one for a mode, one for a source type.
impl Acme {
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    async fn sync(
        &self,
        config: Config<Settings>,
        key: Credentials<ApiKey>,
        mut checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        ctx.delete("a").await?;
        checkpoint.save().await
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_self)]
    async fn watch(&self, ctx: SyncContext) -> Result<()> {
        ctx.cancelled().await;
        Ok(())
    }
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    pub struct Block;
    impl _omni::Methods<Block> for Acme {
        const SYNC_METHODS: &'static [_omni::Sync<Self>] = &[
            _omni::Sync::new(|connector: &Self, mut call| {
                    let future = connector
                        .sync(
                            call.supply::<Config<Settings>>()?,
                            call.supply::<Credentials<ApiKey>>()?,
                            call.supply::<Checkpoint<Cursor>>()?,
                            call.supply::<SyncContext>()?,
                        );
                    _omni::pending(future, _omni::sync_answer)
                })
                .credentials(_omni::needs_credentials::<Self, Credentials<ApiKey>>()),
            _omni::Sync::new(|connector: &Self, mut call| {
                    let future = connector.watch(call.supply::<SyncContext>()?);
                    _omni::pending(future, _omni::sync_answer)
                })
                .modes(&[_omni::SyncType::Realtime])
                .source_types(&[_omni::SourceType::Jira]),
        ];
    }
    const _: () = _omni::assert_mode_declared::<Acme>(_omni::SyncType::Realtime);
    const _: () = _omni::assert_type_declared::<Acme>(_omni::SourceType::Jira);
};
