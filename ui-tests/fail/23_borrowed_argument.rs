//! An argument that borrows.

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
    async fn list_files(
        &self,
        /// The folder
        #[arg]
        folder: &str,
    ) -> Result<String> {
        Ok(folder.to_owned())
    }
}

fn main() {
    let _ = Github::list_files;
}
