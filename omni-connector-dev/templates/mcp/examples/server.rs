//> transport=stdio
//! A server that answers as Specimen's does, on standard output.

use omni_connector_dev::testing::FakeMcp;
use serde_json::json;

fn main() -> std::io::Result<()> {
    let query = json!({
        "type": "object",
        "properties": { "query": { "type": "string", "description": "Words to look for" } },
        "required": ["query"],
    });
    FakeMcp::new()
        .read(
            "search",
            "Search Specimen.",
            query,
            |input| json!({ "found": [format!("Something about {}", input["query"])] }),
        )
        .serve_stdio()
}
//<
