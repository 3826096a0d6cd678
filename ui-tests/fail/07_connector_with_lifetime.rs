//! A connector with a lifetime.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github<'a>(&'a str);

#[connector]
impl Github<'static> {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Github("x");
}
