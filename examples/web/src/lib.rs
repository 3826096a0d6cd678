//! A web site as a source. `crawl` follows its links, which `graph` remembers. `fetch` requests pages politely, and
//! `address` keeps it out of the internal network. `page` reads them, `document` makes documents of them, and `settings`
//! decides which addresses belong to the source. It replaces Omni's own connector, with the same ids and settings.

mod address;
mod crawl;
mod document;
mod fetch;
mod graph;
mod page;
mod settings;

use omni_connector::prelude::*;

use fetch::Site;
pub use graph::Known;
pub use settings::Settings;

/// Pages and documents of a web site, which everybody in the company may see.
#[connector(
    name = "web",
    display_name = "Web",
    source_types = [Web],
    sync_modes = [full, incremental],
    config = Settings,
    state = Known,
    read_only,
)]
#[derive(Debug)]
pub struct Web;

#[connector]
impl Web {
    /// Finds a wrong address or certificate before a run begins.
    #[validate]
    async fn check(&self, config: Config<Settings>) -> Result<()> {
        config.check()?;
        Site::open(&config).await?.check().await
    }

    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
        config.check()?;
        crawl::run(&config, known, &ctx).await
    }
}
