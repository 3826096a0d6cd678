//! A default outside the range of its type.

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
        #[arg(default = 300)]
        limit: u8,
    ) -> Result<u8> {
        Ok(limit)
    }
}

fn main() {
    let _ = Github::list_files;
}
