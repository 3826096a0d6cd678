//! A server that answers as Specimen's does.

use omni_connector_dev::testing::FakeMcp;
use serde_json::json;

/// The secret of the connector.
pub const TOKEN: &str = "canary-7f3a";

/// Starts the server.
pub fn start() -> FakeMcp {
    let query = json!({
        "type": "object",
        "properties": { "query": { "type": "string", "description": "Words to look for" } },
        "required": ["query"],
    });
    FakeMcp::new().token(TOKEN).read(
        "search",
        "Search Specimen.",
        query,
        |input| json!({ "found": [format!("Something about {}", input["query"])] }),
    )
}
//> transport=stdio

/// What starts it as a process: the example `server`.
pub fn command() -> String {
    let test = std::env::current_exe().expect("a test is a program");
    let folder = test
        .ancestors()
        .nth(2)
        .expect("it is in a folder of the target folder");
    folder.join("examples").join("server").display().to_string()
}
//<
