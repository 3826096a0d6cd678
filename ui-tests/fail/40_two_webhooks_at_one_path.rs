//! Two webhooks at one path.

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

    #[webhook(path = "/hooks/{source_id}")]
    async fn changed(&self) -> Result<Webhook> {
        Ok(Webhook::ignore())
    }

    #[webhook(path = "/hooks/{page}")]
    async fn removed(&self) -> Result<Webhook> {
        Ok(Webhook::ignore())
    }
}

fn main() {}
