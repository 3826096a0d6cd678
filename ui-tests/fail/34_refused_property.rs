//! An argument with a name that the manager refuses.

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
        /// What to leave out
        #[arg]
        not: String,
    ) -> Result<String> {
        Ok(not)
    }
}

fn main() {
    let _ = Github::list_files;
}
