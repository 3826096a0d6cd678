//! An action that no connector lists: rustc's own warning, turned into an error here.

#![deny(dead_code)]

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

/// List the files.
#[action(read)]
async fn list_files() -> Result<Value> {
    Ok(json!([]))
}

fn main() {
    let _ = Github;
}
