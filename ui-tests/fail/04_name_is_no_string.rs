//! A word where a string belongs.

use omni_connector::prelude::*;

#[connector(name = github, source_types = [Github])]
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
