//! An MCP environment function that takes a string instead of credentials.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[mcp_env]
    fn env(&self, token: String) -> Result<[(&'static str, String); 1]> {
        Ok([("TOKEN", token)])
    }
}

fn main() {
    let _ = Github::env;
}
