//! An argument that the framework does not supply.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// List files.
    #[action(read)]
    async fn list_files(&self, path: String) -> Result<String> {
        Ok(path)
    }
}

fn main() {
    let _ = Github::list_files;
}
