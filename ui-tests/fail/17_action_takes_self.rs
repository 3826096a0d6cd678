//! An action that takes `self`.

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
    async fn list_files(self) -> Result<Value> {
        Ok(json!([]))
    }
}

fn main() {
    let _ = Github::list_files;
}
