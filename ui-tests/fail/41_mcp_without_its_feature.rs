//! An MCP server without the feature `mcp`.

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
    fn server(&self) -> McpServer {
        McpServer::stdio("npx").arg("server-memory").into()
    }
}

fn main() {
    let _ = Github::server;
}
