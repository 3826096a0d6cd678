//! An operator with an invalid name.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[search_operator(name = "Project")]
    fn project(issue: &String) -> &str {
        issue
    }
}

fn main() {
    let _ = Github::project;
}
