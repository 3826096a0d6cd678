//! A server that lists the tools of Specimen's. They are in `tools.json`.

//> transport=http
use omni_connector_dev::testing::FakeMcp;
//<
//> auth=bearer|key|oauth
use serde_json::{Value, json};
//<

//> auth=bearer|key|oauth
/// The secret of the connector.
pub fn login() -> Value {
    json!({
        //> auth=oauth
        "access_token": "canary-7f3a",
        //<
        //> auth=bearer|key
        "token": "canary-7f3a",
        //<
    })
}

//<
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
    let tools: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("tools.json")).expect("the list is an array of JSON");
    FakeMcp::new()
        .tools(tools)
        //> auth=key
        .header("x-api-key", "canary-7f3a")
        //<
        //> auth=bearer|oauth
        .token("canary-7f3a")
    //<
}
//<
