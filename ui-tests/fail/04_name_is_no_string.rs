//! A name that is not a string literal.

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
