//! A connector with a type parameter.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github<T>(T);

#[connector]
impl Github<u8> {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Github(1);
}
