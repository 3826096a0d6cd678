//! A limit of numbers for a string.

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
        #[arg(max = 3)]
        limit: Option<String>,
    ) -> Result<Option<String>> {
        Ok(limit)
    }
}

fn main() {
    let _ = Github::list_files;
}
