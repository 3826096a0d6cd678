//! A listed action with the name of a method.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github], actions = [list_files])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// List files.
    #[action(read)]
    async fn list_files(&self) -> Result<Value> {
        Ok(json!([]))
    }
}

/// List files.
#[action(read)]
async fn list_files() -> Result<Value> {
    Ok(json!([]))
}

fn main() {
    let _ = list_files;
}
