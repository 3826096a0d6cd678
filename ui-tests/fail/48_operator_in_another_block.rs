//! A search operator in a second block, which has no `#[connector]`.

use omni_connector::prelude::*;

struct Issue {
    project: String,
}

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

impl Github {
    #[search_operator]
    fn project(issue: &Issue) -> &str {
        &issue.project
    }
}

fn main() {
    let _ = Github::project;
}
