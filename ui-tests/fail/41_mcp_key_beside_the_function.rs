//! An MCP server both as a key and as a function.

use omni_connector::{McpServer, prelude::*};

#[connector(name = "github", source_types = [Github], mcp = None::<McpServer>)]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[mcp]
    fn server(&self) -> Option<McpServer> {
        None
    }
}

fn main() {
    let _ = Github.mcp_server();
}
