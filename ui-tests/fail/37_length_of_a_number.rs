//! A length limit for a number.

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
        #[arg(max_length = 3)]
        limit: u32,
    ) -> Result<u32> {
        Ok(limit)
    }
}

fn main() {
    let _ = Github::list_files;
}
