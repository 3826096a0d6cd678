//! The whole input and a single argument of it.

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
    async fn list_files(
        &self,
        /// The folder
        #[arg]
        folder: String,
        all: Args<Input>,
    ) -> Result<String> {
        Ok(format!("{folder}{}", all.folder))
    }
}

fn main() {
    let _ = Github::list_files;
}
