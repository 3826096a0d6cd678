//! Tests a context that only collects.

use std::time::Instant;

use omni_connector::{
    Document, DocumentPermissions, FailureBudget, Group, PersonSyncRecord, SyncType,
};
use omni_connector_dev::testing::context;
use serde_json::{Value, json};

fn document(id: &str) -> Document<'_> {
    let readers = DocumentPermissions::users(["Ada@Example.com"]);
    Document::new(id, readers)
        .title("Disk full")
        .text("No space.")
}

#[tokio::test]
async fn a_context_collects_documents_groups_people_and_a_checkpoint_in_order() {
    let (ctx, collected) = context().await;
    let person = PersonSyncRecord::new("7", "Bo@Example.com");
    let group = Group::new("ops@example.com", ["bo@example.com"]);
    ctx.group(group).await.unwrap();
    ctx.upsert(document("OPS-7")).await.unwrap();
    ctx.upsert(document("OPS-8")).await.unwrap();
    ctx.person(person).await.unwrap();
    ctx.save_checkpoint(json!({ "page": 2 })).await.unwrap();
    ctx.save_checkpoint(json!({ "page": 3 })).await.unwrap();
    ctx.delete("OPS-8").await.unwrap();

    let found = collected.document("OPS-7").await;
    assert_eq!((&*found.title, &*found.text), ("Disk full", "No space."));
    assert_eq!(found.readers(), ["ada@example.com"]);
    assert_eq!(collected.documents().await.ids(), ["OPS-7"]);
    assert_eq!(
        collected.members("ops@example.com").await,
        ["bo@example.com"]
    );
    assert_eq!(collected.people().await[0].external_id, "7");
    assert_eq!(collected.checkpoint().await, Some(json!({ "page": 3 })));
    let events = collected.events().await;
    let subject = |event: &Value| {
        let id = event.get("document_id").or(event.get("group_email"));
        (event["type"].clone(), id.cloned().unwrap_or_default())
    };
    let events: Vec<_> = events.iter().map(subject).collect();
    let expected = [
        ("group_membership_sync", json!("ops@example.com")),
        ("document_created", json!("OPS-7")),
        ("document_created", json!("OPS-8")),
        ("person_sync", Value::Null),
        ("document_deleted", json!("OPS-8")),
    ]
    .map(|(kind, id)| (json!(kind), id));
    assert_eq!(events, expected);
}

#[tokio::test]
async fn what_failed_and_was_skipped_is_in_the_report_however_much_it_is() {
    let (ctx, collected) = context().await;
    ctx.set_failure_budget(FailureBudget {
        limit: 1,
        ..FailureBudget::default()
    });
    ctx.upsert(document("OPS-7")).await.unwrap();
    ctx.skip("OPS-8", "archived");
    for item in ["OPS-9", "OPS-10"] {
        ctx.item_failed(item, "its text is locked", None);
    }
    // More failed than this run may lose, so it accepts nothing more.
    assert!(ctx.upsert(document("OPS-11")).await.is_err());
    let report = collected.report().await;
    assert_eq!((report.failed, report.skipped), (2, 1));
    assert_eq!(report.failures[1].item, "OPS-10");
}

#[tokio::test]
#[should_panic(expected = "Omni would refuse")]
async fn an_event_that_omni_would_refuse_fails_the_test() {
    let (ctx, collected) = context().await;
    // Omni's table has no room for the id.
    let id = "x".repeat(501);
    let _ = ctx.upsert(document(&id)).await;
    collected.documents().await;
}

#[tokio::test]
async fn a_context_has_the_mode_the_config_and_the_checkpoint_that_a_test_gives_it() {
    let (ctx, _collected) = context()
        .mode(SyncType::Incremental)
        .config(json!({ "team": "ops" }))
        .checkpoint(json!({ "page": 3 }))
        .await;
    assert_eq!(ctx.sync_mode(), SyncType::Incremental);
    assert_eq!(ctx.source().config["team"], "ops");
    assert!(ctx.is_resume());
}

#[tokio::test]
async fn a_context_is_made_in_less_than_a_second() {
    // The first one also pays for what a process does once.
    drop(context().await);
    let begun = Instant::now();
    let (ctx, collected) = context().await;
    ctx.upsert(document("OPS-7")).await.unwrap();
    collected.document("OPS-7").await;
    let took = begun.elapsed();
    eprintln!("a context, a document and a look at it took {took:?}");
    assert!(took.as_secs() < 1, "{took:?}");
}
