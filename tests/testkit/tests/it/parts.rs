//! Tests what a setup offers beyond a run that completes: runs that do not, changes of the source, and events.

use std::sync::{Arc, Mutex};

use omni_connector::AuthType;
use omni_connector_dev::{
    store::runs::RunStatus,
    testing::{
        Change, FakeApi, Fault, Journal, Process, Proxy, Setup, SetupBuilder, Source, SyncType,
        eventually,
    },
};
use serde_json::json;

use crate::source::{ISSUES, tracker};

fn built(url: &str) -> SetupBuilder {
    Setup::of(env!("CARGO_BIN_EXE_tracker"))
        .config(json!({ "api_url": url }))
        .credentials(json!({ "api_key": "canary-7f3a" }))
}

async fn setup() -> (Setup, FakeApi) {
    let source = tracker();
    (built(&source.url()).start().await, source)
}

#[tokio::test]
async fn a_run_that_a_killed_process_has_lost_is_resumed_while_a_test_waits_for_it() {
    let source = tracker();
    let victim = Arc::new(Mutex::new(None::<Arc<Process>>));
    let (killed, plan_victim) = (Arc::new(Mutex::new(0)), Arc::clone(&victim));
    let kills = Arc::clone(&killed);
    let plan = move |route: &str, number: usize| {
        let victim = plan_victim.lock().unwrap().clone()?;
        let kills = Arc::clone(&kills);
        (route == "GET /issues" && number == 2).then(|| {
            Fault::DoBefore(Arc::new(move || {
                victim.kill();
                *kills.lock().unwrap() += 1;
                victim.restart().unwrap();
            }))
        })
    };
    let url = source.url();
    let proxy = Proxy::to_source(&url, Box::new(plan), Journal::default());
    let proxy = proxy.await.unwrap();
    let setup = built(&proxy.url()).start().await;
    *victim.lock().unwrap() = Some(setup.process());
    let run = setup.begin(SyncType::Full).await;
    // The run is begun by a process that is gone when the wait begins.
    eventually("the process is killed", async || {
        (*killed.lock().unwrap() == 1).then_some(())
    })
    .await;
    let ended = setup.wait(&run).await;
    assert!(ended.is_completed(), "{:?}", ended.message());
    assert_eq!(setup.ids().await.len(), ISSUES);
}

#[tokio::test]
async fn a_run_that_fails_or_is_refused_gives_its_message() {
    let (setup, _source) = setup().await;
    setup
        .set_credentials(AuthType::ApiKey, json!({ "api_key": "another" }))
        .await;
    let message = setup.fails(SyncType::Full).await;
    assert!(message.contains("401"), "{message}");
    setup
        .set_credentials(AuthType::ApiKey, json!({ "key": "canary-7f3a" }))
        .await;
    let message = setup.refusal(SyncType::Full).await;
    assert!(message.contains("api_key"), "{message}");
}

#[tokio::test]
async fn a_changed_setting_or_checkpoint_is_what_the_next_run_gets() {
    let (setup, _source) = setup().await;
    assert_eq!(setup.checkpoint().await, None);
    let run = setup.sync(SyncType::Full).await.progress.run;
    let checkpoint = setup.checkpoint().await.unwrap();
    assert_eq!(checkpoint["ids"].as_array().unwrap().len(), ISSUES);
    assert_eq!(setup.saved_by(&run).await, Some(checkpoint));

    setup.configure("api_url", json!("nowhere")).await;
    let message = setup.refusal(SyncType::Full).await;
    assert!(message.contains("api_url"), "{message}");

    setup
        .configure("api_url", json!("http://127.0.0.1:9"))
        .await;
    setup.set_checkpoint(json!({ "ids": 7 })).await;
    let message = setup.fails(SyncType::Full).await;
    assert!(message.contains("ids"), "{message}");

    setup.change_source(|source| source.is_active = false).await;
    let message = setup.refusal(SyncType::Full).await;
    assert!(message.contains("inactive"), "{message}");
}

#[tokio::test]
async fn a_source_on_which_another_connector_worked_has_its_documents_and_checkpoint() {
    let (setup, _source) = setup().await;
    let event = json!({
        "type": "document_created", "document_id": "old-1", "content": "Written by another.",
        "metadata": { "title": "Old" }, "attributes": {},
        "permissions": { "public": true, "users": [], "groups": [] },
    });
    let checkpoint = json!({ "ids": ["old-1"], "seen": [], "cursor": null });
    setup
        .sync_by_another(vec![event], Some(checkpoint.clone()))
        .await;
    assert_eq!(setup.documents().await["old-1"].text, "Written by another.");
    assert_eq!(setup.checkpoint().await, Some(checkpoint));
    let ended = setup.sync(SyncType::Full).await;
    assert_eq!((ended.report().updated, ended.report().deleted), (13, 1));
    assert!(!setup.ids().await.contains(&"old-1".to_owned()));
}

#[tokio::test]
async fn the_events_of_each_run_are_kept_in_order_with_their_texts() {
    let source = tracker();
    let setup = built(&source.url()).recorded().start().await;
    let first = setup.sync(SyncType::Full).await.progress.run;
    source.change(&Change::Remove(12)).unwrap();
    let second = setup.sync(SyncType::Full).await.progress.run;

    let events = setup.events(&first).await;
    assert_eq!(events[0]["type"], "group_membership_sync");
    assert_eq!(events.len(), 1 + ISSUES);
    assert_eq!(events[7]["document_id"], "issue-OPS-7");
    assert_eq!(events[7]["content"], "No space is left on disk 7.");
    for key in ["content_id", "sync_run_id", "source_id"] {
        assert_eq!(events[7].get(key), None);
    }
    let events = setup.events(&second).await;
    let last = events.last().unwrap();
    assert_eq!(
        *last,
        json!({ "type": "document_deleted", "document_id": "issue-OPS-13" })
    );
}

#[tokio::test]
async fn an_action_is_called_as_a_person_and_its_refusal_has_a_status_and_a_message() {
    let (setup, _source) = setup().await;
    let ada = Some("ada@example.com");
    let called = setup.try_call("read_issue", json!({ "key": "OPS-2" }), ada);
    assert_eq!(called.await.unwrap()["title"], "Disk 2 is full");
    let called = setup.try_call("read_issue", json!({ "key": 2 }), ada);
    let (status, message) = called.await.unwrap_err();
    assert!(status == 400 && message.contains("key"), "{message}");
    // The manager refuses, so the connector is not asked.
    let (status, message) = setup
        .try_call("read_isue", json!({}), ada)
        .await
        .unwrap_err();
    assert!(status == 400 && message.contains("read_isue"), "{message}");
}

#[tokio::test]
async fn a_binary_is_started_through_another_program_also_after_a_kill() {
    let source = tracker();
    let shell = ["sh", "-c", "echo through the shell >&2; exec \"$0\""];
    let setup = built(&source.url()).through(shell).start().await;
    setup.kill_and_restart().await;
    setup.sync(SyncType::Full).await;
    assert_eq!(setup.output().matches("through the shell").count(), 2);
}

#[tokio::test]
async fn the_report_of_a_run_is_read_before_and_after_its_end() {
    let (setup, _source) = setup().await;
    let run = setup.begin(SyncType::Full).await;
    let begun = async || {
        setup
            .report(&run.id)
            .await
            .filter(|report| report.updated > 0)
    };
    eventually("documents are sent", begun).await;
    let ended = setup.wait(&run).await;
    assert_eq!(ended.progress.run.status, RunStatus::Completed);
    assert_eq!(ended.report().updated, ISSUES as u64);
    assert!(setup.report("no such run").await.is_none());
}

#[tokio::test]
async fn documents_are_awaited_by_their_ids() {
    let (setup, source) = setup().await;
    for _ in 0..12 {
        source.change(&Change::Remove(0)).unwrap();
    }
    setup.begin(SyncType::Full).await;
    setup.until_ids(&["issue-OPS-13"]).await;
    assert_eq!(setup.ids().await, ["issue-OPS-13"]);
}
