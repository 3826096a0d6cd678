//! A connector without a name.

use omni_connector::prelude::*;

#[connector(source_types = [Github])]
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
