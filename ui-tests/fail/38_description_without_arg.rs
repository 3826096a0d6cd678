//! A description of an argument that the caller does not supply.

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
        /// Who asks
        actor: Actor,
    ) -> Result<String> {
        Ok(actor.email)
    }
}

fn main() {
    let _ = Github::list_files;
}
