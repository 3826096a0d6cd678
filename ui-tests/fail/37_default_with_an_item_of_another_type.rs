//! A default list with an item of another type.

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
        /// How many
        #[arg(default = ["a", 2])]
        limit: Vec<String>,
    ) -> Result<Vec<String>> {
        Ok(limit)
    }
}

fn main() {
    let _ = Github::list_files;
}
