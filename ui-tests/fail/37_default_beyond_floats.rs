//! A default beyond the largest float.

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
    async fn list_files(
        &self,
        /// How large
        #[arg(default = 1e400)]
        size: f64,
    ) -> Result<()> {
        let _ = size;
        Ok(())
    }
}

fn main() {
    let _ = Github::list_files;
}
