//! An input that is not a JSON object.

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
    async fn list_files(&self, names: Args<Vec<String>>) -> Result<Vec<String>> {
        Ok(names.0)
    }
}

fn main() {
    let _ = Github::list_files;
}
