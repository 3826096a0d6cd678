//! An MCP server that is only a command, as a key.

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
