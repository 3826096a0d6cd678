//! Two arguments with one name.

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
        #[arg(name = "id")]
        folder: String,
        /// The file
        #[arg(name = "id")]
        file: String,
    ) -> Result<()> {
        let _ = (folder, file);
        Ok(())
    }
}

fn main() {
    let _ = Github::list_files;
}
