//! An action with an `impl Trait` argument.

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
    async fn list_files(&self, name: impl Into<String>) -> Result<String> {
        Ok(name.into())
    }
}

fn main() {
    drop(Github.list_files("x"));
}
