//! A refused declaration: the items as written, one error, and stubs for which rustc reports no more errors.

#[connector(nmae = "acme", source_types = [Jira], config = Settings)]
struct Acme;

#[connector]
impl Acme {
    #[sync]
    fn sync(&self, ctx: SyncContext) -> Result<()> {
        Ok(())
    }
}
