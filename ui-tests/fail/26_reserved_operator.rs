//! An operator name that Omni reserves.

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
    fn before(issue: &String) -> &str {
        issue
    }
}

fn main() {
    let _ = Github::before;
}
