//! Two functions for the same runs.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[sync]
    async fn again(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = (Github::sync, Github::again);
}
