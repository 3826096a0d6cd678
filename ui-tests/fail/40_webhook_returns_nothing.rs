//! A webhook that returns no order.

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
    async fn changed(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
