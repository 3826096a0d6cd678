//! A tool of the server is an action in Omni.
//> template
#![allow(
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

mod server;

//> transport=http
use omni_connector_dev::testing::Source;
//<
use omni_connector_dev::testing::{Setup, SyncType};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_of_the_server_is_an_action() {
    //> transport=stdio
    let variable = ("SPECIMEN_COMMAND", server::command());
    //<
    //> transport=http
    let server = server::start();
    let variable = ("SPECIMEN_URL", server.url());
    //<
    let setup = Setup::of(env!("CARGO_BIN_EXE_specimen"))
        .env(variable.0, variable.1)
        .credentials(json!({ "token": server::TOKEN }))
        .start()
        .await;
    setup.sync(SyncType::Full).await;
    setup.until_action("search").await;
    let found = setup.call("search", json!({ "query": "disks" })).await;
    assert!(found.to_string().contains("disks"), "{found}");
}
