//! What the action creates is in the database, and a row that cannot be read costs no other.
//> template
#![allow(
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

mod source;

use omni_connector_dev::testing::{FakeItems, Setup, Source, SyncType};
use rusqlite::Connection;
use serde_json::json;

async fn setup(source: &FakeItems) -> Setup {
    Setup::of(env!("CARGO_BIN_EXE_prototype"))
        .config(json!({ "database": source.url() }))
        .start()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_action_creates_is_in_the_database() {
    let source = source::start();
    let setup = setup(&source).await;
    let input = json!({ "title": "Disk full", "text": "No space is left." });
    let created = setup.try_call("create_issue", input, Some("ada@example.com"));
    let created = created.await.expect("it is created");
    assert_eq!(source.writes(), 1);
    setup.run(SyncType::Full).await;
    let id = created["id"].as_str().expect("it has an id");
    //> access=groups
    // No team may read it yet.
    let is_found = false;
    //<
    //> access=item|public
    let is_found = true;
    //<
    assert_eq!(setup.documents().await.get(id).is_some(), is_found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_costs_no_other_and_no_document() {
    let source = source::start();
    let setup = setup(&source).await;
    setup.sync(SyncType::Full).await;
    let database = Connection::open(source.url()).expect("the database is there");
    let odd = "UPDATE issues SET title = CASE id WHEN '02' THEN x'ff' ELSE 'New' END";
    database.execute(odd, []).expect("the rows are changed");
    let ended = setup.run(SyncType::Full).await;
    assert!(ended.is_completed());
    assert_eq!(ended.failures(), 1);
    let documents = setup.documents().await;
    assert_eq!(documents["02"].title, "Issue 2");
    assert_eq!(documents["03"].title, "New");
}
