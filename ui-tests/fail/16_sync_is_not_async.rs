//! A sync that is not async.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Github::sync;
}
