//! An MCP header function that also takes the source.

use omni_connector::{McpCredentials, prelude::*};

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[mcp_headers]
    fn headers(
        &self,
        credentials: &McpCredentials,
        source: Source,
    ) -> Result<[(&'static str, String); 1]> {
        let _ = (credentials, source);
        Ok([("authorization", String::new())])
    }
}

fn main() {
    let _ = Github::headers;
}
