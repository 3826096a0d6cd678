//! A sync on a function that is not a method.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

#[sync]
async fn also() -> Result<()> {
    Ok(())
}

fn main() {
    let _ = also;
}
