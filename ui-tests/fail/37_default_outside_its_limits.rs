//! A default outside its limits.

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
        #[arg(default = 200, max = 100)]
        limit: u32,
    ) -> Result<u32> {
        Ok(limit)
    }
}

fn main() {
    let _ = Github::list_files;
}
