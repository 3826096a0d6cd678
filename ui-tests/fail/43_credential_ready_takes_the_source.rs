//! A sign-in hook that takes the source.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[credential_ready]
    async fn welcome(&self, source: Source) -> Result<()> {
        drop(source);
        Ok(())
    }
}

fn main() {
    let _ = Github::welcome;
}
