//> transport=stdio
//! A server that lists the tools of Specimen's, on standard output.

use omni_connector_dev::testing::FakeMcp;

/// The tools as a server lists them.
const TOOLS: &str = include_str!("../tests/server/tools.json");

fn main() -> std::io::Result<()> {
    let tools: Vec<serde_json::Value> = serde_json::from_str(TOOLS)?;
    FakeMcp::new().tools(tools).serve_stdio()
}
//<
