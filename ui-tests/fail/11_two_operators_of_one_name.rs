//! Two operators of one name for one item.

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
    fn project(issue: &String) -> &str {
        issue
    }

    #[search_operator(name = "project")]
    fn board(issue: &String) -> &str {
        issue
    }
}

fn main() {
    let _ = (Github::project, Github::board);
}
