//! A function for a source type that is not declared.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[sync(source_type = Gmail)]
    async fn mail(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Github::mail;
}
