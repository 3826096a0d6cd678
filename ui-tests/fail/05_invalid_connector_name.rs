//! A connector with an invalid name.

use omni_connector::prelude::*;

#[connector(name = "MyDrive", source_types = [Github])]
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
