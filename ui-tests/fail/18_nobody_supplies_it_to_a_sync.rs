//! An argument that the framework does not supply to a sync.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self, path: String) -> Result<()> {
        drop(path);
        Ok(())
    }
}

fn main() {
    let _ = Github::sync;
}
