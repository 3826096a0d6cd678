//! A webhook at a path that the protocol uses.

use omni_connector::prelude::*;

/// Pages.
#[connector(name = "pages", source_types = [Notion])]
struct Pages;

#[connector]
impl Pages {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[webhook(path = "/sync/pages")]
    async fn changed(&self) -> Result<Webhook> {
        Ok(Webhook::ignore())
    }
}

fn main() {}
