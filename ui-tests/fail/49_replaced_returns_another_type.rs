//! A replaced method with another return type.

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
    fn description(&self) -> &'static str {
        "Code"
    }
}

fn main() {
    let _ = Github::description;
}
