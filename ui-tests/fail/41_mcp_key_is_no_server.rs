//! An MCP key with a string instead of a server.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github], mcp = "npx")]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Github.mcp_server();
}
