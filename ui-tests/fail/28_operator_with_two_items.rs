//! An operator that reads two items.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[search_operator]
    fn project(issue: &String, _other: &String) -> String {
        issue.clone()
    }
}

fn main() {
    let _ = Github::project;
}
