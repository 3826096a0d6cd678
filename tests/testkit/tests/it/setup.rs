//! Tests a setup: the manager, the process and the source in one value.

use omni_connector_dev::{
    assert_documents,
    testing::{Setup, Source, SyncType},
};
use serde_json::json;

use crate::source::{ISSUES, tracker};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setup_syncs_searches_calls_and_survives_a_kill() {
    let source = tracker();
    let setup = Setup::of(env!("CARGO_BIN_EXE_tracker"))
        .config(json!({ "api_url": source.url() }))
        .credentials(json!({ "api_key": "canary-7f3a" }))
        .start()
        .await;
    setup.sync(SyncType::Full).await;
    let documents = setup.documents().await;
    assert_eq!(documents.len(), ISSUES);
    let document = &documents["issue-OPS-7"];
    assert_eq!(
        (document.title.as_str(), document.readers()),
        ("Disk 7 is full", vec!["ada@example.com", "bo@example.com"])
    );
    assert_documents!(documents, "tests/full.snap");

    assert_eq!(
        setup.search("\"disk 7\"", Some("ada@example.com")).await,
        ["issue-OPS-7"]
    );
    assert!(
        setup
            .search("\"disk 7\"", Some("eve@example.com"))
            .await
            .is_empty()
    );
    assert_eq!(
        setup.members("ops@teams.example.com").await,
        ["ada@example.com", "bo@example.com"]
    );

    let issue = setup.call("read_issue", json!({ "key": "OPS-2" })).await;
    assert_eq!(issue["title"], "Disk 2 is full");
    let refused = setup.answer("read_issue", json!({}), None).await;
    assert_eq!(refused.status, 400);

    setup.kill_and_restart().await;
    setup.sync(SyncType::Full).await;
    setup.until(|found| *found == documents).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "`much`, which is no number of bytes")]
async fn a_connector_that_ends_is_shown_with_its_last_lines() {
    // An invalid size ends the process before it registers.
    let setup =
        Setup::of(env!("CARGO_BIN_EXE_tracker")).env("OMNI_CONNECTOR_MAX_BODY_BYTES", "much");
    setup.start().await;
}
