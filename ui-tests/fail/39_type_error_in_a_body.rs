//! A type error inside a body, which rustc reports once.

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
    async fn list_files(&self) -> Result<Value> {
        let names: u32 = "x";
        Ok(json!(names))
    }
}

fn main() {
    let _ = Github::list_files;
}
