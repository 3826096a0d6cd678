//! What is left where something was refused: the items as written, one error, and stubs that report nothing more.

#[connector(nmae = "acme", source_types = [Jira], config = Settings)]
struct Acme;

#[connector]
impl Acme {
    #[sync]
    fn sync(&self, ctx: SyncContext) -> Result<()> {
        Ok(())
    }
}
