//! A function for a mode that is not declared.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[sync(realtime)]
    async fn watch(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Github::watch;
}
