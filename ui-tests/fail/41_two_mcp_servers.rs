//! Two MCP servers.

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
    fn server(&self) -> Option<McpServer> {
        None
    }

    #[mcp]
    fn another(&self) -> Option<McpServer> {
        None
    }
}

fn main() {
    let _ = (Github::server, Github::another);
}
