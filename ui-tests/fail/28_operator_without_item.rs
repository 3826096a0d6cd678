//! An operator that reads nothing.

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
    fn project() -> String {
        String::new()
    }
}

fn main() {
    let _ = Github::project;
}
