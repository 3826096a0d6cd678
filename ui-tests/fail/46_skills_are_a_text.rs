//! A skills function that returns a string.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[skills]
    fn skills(&self) -> String {
        "Search issues with JQL.".to_owned()
    }
}

fn main() {
    let _ = Github::skills;
}
