//! A sync that returns a value.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<u32> {
        Ok(1)
    }
}

fn main() {
    let _ = Github::sync;
}
