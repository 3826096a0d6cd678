//! An example that is not a value of its argument.

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
        #[arg(example = "many")]
        limit: Option<u32>,
    ) -> Result<Option<u32>> {
        Ok(limit)
    }
}

fn main() {
    let _ = Github::list_files;
}
