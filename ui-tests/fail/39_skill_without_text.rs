//! A skill without its text.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github], skill(id = "triage", title = "Triage"))]
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
