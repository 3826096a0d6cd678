//! What the action creates is in the database, and the next run brings it.

//> template
#![allow(
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

mod source;

use omni_connector_dev::testing::{Setup, Source, SyncType};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_action_creates_is_in_the_database() {
    let source = source::start();
    let setup = Setup::of(env!("CARGO_BIN_EXE_prototype"))
        .config(json!({ "database": source.url() }))
        .start()
        .await;
    let input = json!({ "title": "Disk full", "text": "No space is left." });
    let created = setup.try_call("create_issue", input, Some("ada@example.com"));
    let created = created.await.expect("it is created");
    assert_eq!(source.writes(), 1);
    setup.run(SyncType::Full).await;
    let id = created["id"].as_str().expect("it has an id");
    let documents = setup.documents().await;
    //> access=groups
    // No team may read it yet.
    let is_found = false;
    //<
    //> access=item|public
    let is_found = true;
    //<
    assert_eq!(documents.get(id).is_some(), is_found);
}
