//! An argument without a description.

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
    async fn list_files(&self, #[arg] folder: String) -> Result<String> {
        Ok(folder)
    }
}

fn main() {
    let _ = Github::list_files;
}
