//! A value that cannot be written as JSON.

use omni_connector::prelude::*;

struct Files;

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
    async fn list_files(&self) -> Result<Files> {
        Ok(Files)
    }
}

fn main() {
    let _ = Github::list_files;
}
