//! An MCP header function without arguments.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[mcp_headers]
    fn headers(&self) -> Result<[(&'static str, String); 1]> {
        Ok([("authorization", String::new())])
    }
}

fn main() {
    let _ = Github::headers;
}
