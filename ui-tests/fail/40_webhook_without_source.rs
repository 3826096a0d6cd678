//! A webhook that takes credentials, although its path names no source.

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

    #[webhook(path = "/hooks/pages")]
    async fn changed(&self, key: Credentials<Value>) -> Result<Webhook> {
        let _ = key;
        Ok(Webhook::ignore())
    }
}

fn main() {}
