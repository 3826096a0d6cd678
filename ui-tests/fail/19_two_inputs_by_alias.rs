//! Two arguments that each take the whole input, under another name.

use omni_connector::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Input {
    folder: String,
}

type Everything = Args<Input>;

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
    async fn list_files(&self, a: Everything, b: Everything) -> Result<String> {
        Ok(format!("{}{}", a.folder, b.folder))
    }
}

fn main() {
    let _ = Github::list_files;
}
