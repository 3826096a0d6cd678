//! An MCP function with an argument.

use omni_connector::{McpCredentials, McpServer, prelude::*};

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[mcp]
    fn server(&self, credentials: &McpCredentials) -> Option<McpServer> {
        let _ = credentials;
        None
    }
}

fn main() {
    let _ = Github::server;
}
