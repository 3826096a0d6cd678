//! An action with both `read` and `write`.

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
    #[action(read, write)]
    async fn list_files(&self) -> Result<Value> {
        Ok(json!([]))
    }
}

fn main() {
    let _ = Github::list_files;
}
