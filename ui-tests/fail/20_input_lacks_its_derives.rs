//! An input without its derives.

use omni_connector::prelude::*;

struct Input {
    folder: String,
}

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
    async fn list_files(&self, input: Args<Input>) -> Result<String> {
        Ok(input.0.folder)
    }
}

fn main() {
    let _ = Github::list_files;
}
