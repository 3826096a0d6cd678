//! An `async` MCP function.

use omni_connector::{McpServer, prelude::*};

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[mcp]
    async fn server(&self) -> Option<McpServer> {
        None
    }
}

fn main() {
    let _ = Github::server;
}
