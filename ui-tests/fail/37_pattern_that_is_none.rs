//! A pattern that is not a regular expression.

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
        /// Part of the name
        #[arg(pattern = "[a-")]
        name: String,
    ) -> Result<String> {
        Ok(name)
    }
}

fn main() {
    let _ = Github::list_files;
}
