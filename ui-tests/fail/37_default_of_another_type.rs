//! A default that is not a value of its argument.

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
        #[arg(default = 5)]
        limit: String,
    ) -> Result<String> {
        Ok(limit)
    }
}

fn main() {
    let _ = Github::list_files;
}
