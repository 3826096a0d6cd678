//! An MCP function that returns a string.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[mcp]
    fn server(&self) -> String {
        "npx server-memory".to_owned()
    }
}

fn main() {
    let _ = Github::server;
}
