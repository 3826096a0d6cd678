//! A source type that does not exist.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Githb])]
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
