//! Two annotated blocks of one connector.

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

#[connector]
impl Github {
    /// List files.
    #[action(read)]
    async fn list_files(&self) -> Result<Value> {
        Ok(json!([]))
    }
}

fn main() {
    let _ = (Github::sync, Github::list_files);
}
