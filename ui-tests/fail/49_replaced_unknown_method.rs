//! A replaced method that the trait does not have.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[replaces]
    fn titel(&self) -> String {
        String::new()
    }
}

fn main() {
    let _ = Github::titel;
}
