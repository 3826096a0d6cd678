//! The smallest connector.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    assert_eq!(Github.name(), "github");
    assert_eq!(Github.sync_modes(), [SyncType::Full]);
    assert!(!Github.requires_credentials());
}
