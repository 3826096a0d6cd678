//! A function outside the block, as an action of one connector.

/// Count the issues of one month.
#[action(read)]
pub(crate) async fn monthly(acme: &Acme, config: Config<Settings>) -> Result<u32> {
    acme.count(config).await
}
