//! Two arguments that each take the whole input.

use omni_connector::prelude::*;

#[derive(Deserialize, JsonSchema)]
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
    async fn list_files(&self, a: Args<Input>, b: Args<Input>) -> Result<String> {
        Ok(format!("{}{}", a.folder, b.folder))
    }
}

fn main() {
    let _ = Github::list_files;
}
