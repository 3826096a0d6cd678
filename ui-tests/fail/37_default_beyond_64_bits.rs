//! A default beyond the 64 bits of JSON numbers.

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
        /// How many
        #[arg(default = 340282366920938463463374607431768211455)]
        limit: u128,
    ) -> Result<()> {
        let _ = limit;
        Ok(())
    }
}

fn main() {
    let _ = Github::list_files;
}
