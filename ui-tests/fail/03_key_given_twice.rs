//! A duplicate key.

use omni_connector::prelude::*;

#[connector(name = "github", name = "gitlab", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Github;
}
