//! A sync with an argument from a caller.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(
        &self,
        #[arg]
        folder: String,
    ) -> Result<()> {
        drop(folder);
        Ok(())
    }
}

fn main() {
    let _ = Github::sync;
}
