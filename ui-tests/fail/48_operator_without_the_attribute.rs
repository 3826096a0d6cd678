//! A block without `#[connector]` with a search operator, which has no `self`.

use omni_connector::prelude::*;

struct Issue {
    project: String,
}

#[connector(name = "github", source_types = [Github])]
struct Github;

impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[search_operator]
    fn project(issue: &Issue) -> &str {
        &issue.project
    }
}

fn main() {
    let _ = (Github::sync, Github::project);
}
