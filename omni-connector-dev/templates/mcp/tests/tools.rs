//! The tools of the server are actions in Omni.
//> template
#![allow(
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

mod server;

//> auth=oauth
use omni_connector::AuthType;
//<
//> transport=http
use omni_connector_dev::testing::Source;
//<
use omni_connector_dev::testing::{Setup, SyncType};
//> reads=yes
use serde_json::json;
//<

/// A tool of the server.
const TOOL: &str = "search";

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_of_the_server_is_an_action() {
    //> transport=stdio
    let variable = ("SPECIMEN_COMMAND", server::command());
    //<
    //> transport=http
    let server = server::start();
    let variable = ("SPECIMEN_URL", server.url());
    //<
    let setup = Setup::of(env!("CARGO_BIN_EXE_specimen")).env(variable.0, variable.1);
    //> auth=bearer|key|oauth
    let setup = setup.credentials(server::login());
    //<
    //> auth=oauth
    let setup = setup.auth_type(AuthType::Oauth);
    //<
    let setup = setup.start().await;
    setup.sync(SyncType::Full).await;
    setup.until_action(TOOL).await;
    //> reads=yes
    // It only reads.
    let input = json!({ "query": "disks" });
    let found = setup.call(TOOL, input.clone()).await;
    assert!(found.to_string().contains(&input.to_string()), "{found}");
    //<
}
//> tools=listed reads=yes

/// Needs the real server, and its secret in `login.json`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "calls the real server: `cargo test -- --ignored`"]
async fn the_real_server_answers() {
    let setup = Setup::of(env!("CARGO_BIN_EXE_specimen"));
    //> auth=bearer|key|oauth
    let login = std::fs::read("login.json").expect("`login.json` has the secret");
    let login = serde_json::from_slice(&login).expect("`login.json` is JSON");
    let setup = setup.credentials(login);
    //<
    //> auth=oauth
    let setup = setup.auth_type(AuthType::Oauth);
    //<
    let setup = setup.start().await;
    setup.sync(SyncType::Full).await;
    setup.until_action(TOOL).await;
    let found = setup
        .try_call(TOOL, json!({ "query": "disks" }), None)
        .await;
    // A mistake in the made-up input is the answer of a server that works.
    assert!(
        !matches!(found, Err((status, _)) if status >= 500),
        "{found:?}"
    );
}
//<
