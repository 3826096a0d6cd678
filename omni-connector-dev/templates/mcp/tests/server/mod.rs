//! A server that answers as Specimen's does.

//> transport=http
use omni_connector_dev::testing::FakeMcp;
use serde_json::json;

//<
/// The secret of the connector.
pub const TOKEN: &str = "canary-7f3a";
//> transport=stdio

/// What starts it: the example `server`, which cargo builds beside the tests.
pub fn command() -> String {
    let test = std::env::current_exe().expect("a test is a program");
    let folder = test.ancestors().nth(2);
    let folder = folder.expect("a test is in a folder of the target folder");
    folder.join("examples/server").display().to_string()
}
//<
//> transport=http

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
//<
