//! An annotated block whose struct has no attribute.

use omni_connector::prelude::*;

struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Github::sync;
}
