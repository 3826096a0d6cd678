//! A connector without source types.

use omni_connector::prelude::*;

#[connector(name = "github")]
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
