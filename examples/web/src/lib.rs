//! A web site as a source: `crawl` follows its links, `fetch` asks for pages as politely as the site wants, `page` reads them,
//! and `settings` says which addresses belong to the source. It takes the place of Omni's own connector, whose ids and settings it has.

mod crawl;
mod fetch;
mod page;
mod settings;

use omni_connector::prelude::*;

pub use crawl::Known;
use fetch::Site;
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
    /// A wrong address or certificate is found before a run begins.
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
