//! Tests an MCP server that is named in the connector's declaration.

use omni_connector::{McpServer, prelude::*};

/// Whatever its server offers.
#[connector(
    name = "declared",
    source_types = [Github],
    mcp = McpServer::stdio("npx").args(["-y", self.package]),
)]
struct Declared {
    package: &'static str,
}

#[connector]
impl Declared {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_server_can_be_named_on_the_struct() {
    let connector = Declared {
        package: "@modelcontextprotocol/server-memory",
    };
    let expected = McpServer::stdio("npx").args(["-y", "@modelcontextprotocol/server-memory"]);
    assert_eq!(connector.mcp_server(), Some(expected.into()));
}
