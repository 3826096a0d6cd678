//! A misspelt key.

use omni_connector::prelude::*;

#[connector(nmae = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Github;
}
