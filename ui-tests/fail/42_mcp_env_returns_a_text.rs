//! An MCP environment function that returns a single string.

use omni_connector::{McpCredentials, prelude::*};

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[mcp_env]
    fn env(&self, credentials: &McpCredentials) -> Result<String> {
        Ok(credentials.secret()?)
    }
}

fn main() {
    let _ = Github::env;
}
