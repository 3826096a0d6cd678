//! Syncs: one for everything, one for a mode, one for a source type.

#[connector]
impl Acme {
    #[sync]
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

    #[sync(realtime, source_type = Jira)]
    async fn watch(&self, ctx: SyncContext) -> Result<()> {
        ctx.cancelled().await;
        Ok(())
    }
}
