//! Readers of documents: documents with unknown readers are not sent, and Omni's versions stay.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use omni_connector::{
    Access, Checkpoint, ConnectorEvent, Document, DocumentMetadata, DocumentPermissions, Group,
    Inventory, Members, PersonSyncRecord, SyncContext, Walked,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{Manager, Scripted, serve};

/// Runs `sync` once. Returns the report.
async fn ran<F>(
    manager: &Manager,
    sync: impl Fn(SyncContext, Option<Value>) -> F + Send + Sync + 'static,
) -> Value
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let served = serve(Scripted::new(sync), manager).await;
    served.start("R1", "incremental").await;
    served.ended("R1").await;
    served.get("/sync/R1/report").await.1
}

#[tokio::test]
async fn a_document_with_unknown_access_is_not_sent_and_reported_as_failed() {
    let manager = Manager::start().await;
    let report = ran(&manager, |ctx, _| async move {
        let space = Access::groups(["space@example.com"]);
        let unknown = space.narrow(Access::unknown("the restriction answers 503"));
        let url = "https://wiki.example.com/hidden";
        ctx.upsert(Document::new("hidden", unknown).url(url))
            .await?;
        Ok(ctx.upsert(Document::new("open", Access::public())).await?)
    })
    .await;
    assert_eq!(manager.documents(), ["open"]);
    let failure = &report["failures"][0];
    assert_eq!(
        (&failure["item"], &failure["stage"], &failure["link"]),
        (
            &json!("hidden"),
            &json!("access"),
            &json!("https://wiki.example.com/hidden")
        )
    );
    assert!(
        failure["cause"].as_str().unwrap().contains("answers 503"),
        "{failure}"
    );
    assert_eq!(report["failed"], 1);
}

#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    pages: Inventory<u32>,
}

#[tokio::test]
async fn a_walk_keeps_a_document_whose_access_became_unknown_and_retries_it() {
    let manager = Manager::start().await;
    let checkpoint = json!({ "pages": { "a": 1, "b": 1 } });
    manager.change_source("checkpoint", checkpoint);
    let missing = Arc::new(AtomicBool::new(false));
    let found = Arc::clone(&missing);
    ran(&manager, move |ctx, state| {
        let missing = Arc::clone(&missing);
        async move {
            let state = state.map(serde_json::from_value).transpose()?;
            let checkpoint = Checkpoint::<Cursor>::new(state, &ctx)?;
            let mut walk = checkpoint.pages.walk(&ctx);
            let document = Document::new("a", Access::unknown("503"));
            walk.upsert(document, &2).await?;
            assert!(walk.is_current("b", &1));
            missing.store(walk.missing() == ["a"], Ordering::Relaxed);
            walk.finish(Walked::declared("both were seen")).await?;
            Ok(())
        }
    })
    .await;
    assert_eq!(manager.documents(), Vec::<String>::new());
    assert!(found.load(Ordering::Relaxed));
}

#[tokio::test]
async fn unknown_members_leave_the_last_list_and_are_reported_as_failed() {
    let manager = Manager::start().await;
    let report = ran(&manager, |ctx, _| async move {
        ctx.members("Ops@example.com", vec!["Ann@example.com"])
            .await?;
        let hidden: Result<Vec<String>, _> = Err("the directory answers 403");
        Ok(ctx.members("dev@example.com", hidden).await?)
    })
    .await;
    let events = manager.calls("events");
    let events = events[0].body["events"].as_array().unwrap().clone();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["member_emails"], json!(["ann@example.com"]));
    assert_eq!(report["failures"][0]["item"], "dev@example.com");
    let _ = Members::unknown("");
}

#[tokio::test]
async fn readers_are_narrowed_by_the_members_that_the_run_sent() {
    let manager = Manager::start().await;
    let report = ran(&manager, |ctx, _| async move {
        let ops = || Access::groups(["ops@example.com"]);
        let page = || Access::users(["ann@example.com", "eve@example.com"]);
        ctx.upsert(Document::new("early", ops().narrow(page())))
            .await?;
        let members = vec!["ann@example.com", "bob@example.com"];
        ctx.members("ops@example.com", members).await?;
        Ok(ctx
            .upsert(Document::new("page", ops().narrow(page())))
            .await?)
    })
    .await;
    assert_eq!(report["failures"][0]["item"], "early");
    let events = manager.calls("events");
    let events = events[0].body["events"].as_array().unwrap().clone();
    assert_eq!(
        events[1]["permissions"],
        json!({ "public": false, "users": ["ann@example.com"], "groups": [] })
    );
}

#[tokio::test]
async fn users_that_are_not_addresses_are_reported() {
    let manager = Manager::start().await;
    let report = ran(&manager, |ctx, _| async move {
        for id in ["one", "two"] {
            let users = [
                "Ann <ann@example.com>",
                "bob",
                " Cyd@Example.com ",
                "@example.com",
            ];
            ctx.upsert(Document::new(id, Access::users(users))).await?;
        }
        Ok(())
    })
    .await;
    assert_eq!(report["odd_users"], 3);
    assert_eq!(
        report["first_odd_users"],
        json!(["@example.com", "Ann <ann@example.com>", "bob"])
    );
    assert_eq!(manager.documents(), ["one", "two"]);
}

#[tokio::test]
async fn every_spelling_that_is_not_an_address_is_reported() {
    const ODD: [&str; 12] = [
        "mailto:ann@example.com",
        "user:ann@example.com",
        "i:0#.f|membership|ann@example.com",
        "\"ann\"@example.com",
        "ann@example.com (Ann)",
        "ann@example.com.",
        "ann@example..com",
        "ann@@example.com",
        "ann@example.com/team",
        "'ann@example.com'",
        "ann@",
        "https://example.com/@ann",
    ];
    let manager = Manager::start().await;
    let report = ran(&manager, |ctx, _| async move {
        let plain = [
            "ann+tag@example.com",
            "o'neill@example.co.uk",
            "ann_example.com#EXT#@tenant.onmicrosoft.com",
            "root@localhost",
            "änn@bücher.example",
            "1@xn--bcher-kva.example",
        ];
        let users = ODD.into_iter().chain(plain);
        ctx.upsert(Document::new("one", Access::users(users)))
            .await?;
        Ok(())
    })
    .await;
    let mut odd = ODD;
    odd.sort_unstable();
    assert_eq!(report["odd_users"], odd.len(), "{report}");
    let first = report["first_odd_users"].as_array().unwrap();
    assert!(
        first
            .iter()
            .all(|user| odd.contains(&user.as_str().unwrap())),
        "{first:?}"
    );
}

#[tokio::test]
async fn members_of_a_group_that_are_not_addresses_are_reported() {
    let manager = Manager::start().await;
    let report = ran(&manager, |ctx, _| async move {
        let members = [
            "Ann <ann@example.com>".to_owned(),
            "cyd@example.com".to_owned(),
        ];
        ctx.group(Group::new("ops@example.com", members)).await?;
        Ok(())
    })
    .await;
    assert_eq!(report["first_odd_users"], json!(["Ann <ann@example.com>"]));
}

#[tokio::test]
async fn people_and_events_of_ones_own_are_checked_as_documents_are() {
    let manager = Manager::start().await;
    let report = ran(&manager, |ctx, _| async move {
        ctx.person(PersonSyncRecord::new("1", "Ann <ann@example.com>"))
            .await?;
        ctx.person(PersonSyncRecord::new("2", "bob@example.com"))
            .await?;
        let event = |kind: &str, fields: Value| {
            let mut event = json!({ "type": kind, "sync_run_id": "", "source_id": "" });
            event
                .as_object_mut()
                .unwrap()
                .extend(fields.as_object().cloned().unwrap_or_default());
            serde_json::from_value::<ConnectorEvent>(event)
        };
        ctx.emit_event(event(
            "group_membership_sync",
            json!({ "group_email": "ops@example.com", "group_name": null, "member_emails": ["cyd"] }),
        )?)
        .await?;
        let permissions = json!({ "public": false, "users": ["dan"], "groups": ["Ops@example.com", "ghosts@example.com"] });
        ctx.emit_event(event(
            "document_created",
            json!({ "document_id": "raw", "content_id": "C1", "metadata": DocumentMetadata::default(),
                "permissions": permissions, "attributes": null }),
        )?)
        .await?;
        Ok(())
    })
    .await;
    assert_eq!(
        report["first_odd_users"],
        json!(["Ann <ann@example.com>", "cyd", "dan"])
    );
    assert_eq!(report["first_unsent_groups"], json!(["ghosts@example.com"]));
}

#[tokio::test]
async fn an_id_that_is_sent_twice_is_reported_with_its_count() {
    let manager = Manager::start().await;
    let report = ran(&manager, |ctx, _| async move {
        let send =
            |id: &str| ctx.upsert(Document::new(id.to_owned(), DocumentPermissions::public()));
        for id in ["one", "two", "one", "gone", "one"] {
            send(id).await?;
        }
        // What was deleted may come back.
        ctx.delete("gone").await?;
        send("gone").await?;
        Ok(())
    })
    .await;
    assert_eq!(report["repeated"], json!({ "one": 3 }));
}

#[tokio::test]
async fn a_group_that_no_run_of_the_source_ever_sent_is_reported_once() {
    let manager = Manager::start().await;
    let readers = |groups: &[&str]| DocumentPermissions::private().and_groups(groups.to_vec());
    let sync = move |ctx: SyncContext, _| async move {
        for id in ["one", "two"] {
            let groups = readers(&["ops@example.com", "nobody:sent", "example.com"]);
            ctx.upsert(Document::new(id, groups)).await?;
        }
        // A list may be sent after the documents.
        Ok(ctx
            .members("ops@example.com", vec!["ann@example.com"])
            .await?)
    };
    let report = ran(&manager, sync).await;
    assert_eq!(report["unsent_groups"], 1);
    assert_eq!(report["first_unsent_groups"], json!(["nobody:sent"]));

    // The next run sends no list, but knows that there is one.
    let notes = manager.calls("connector-state")[0].body.clone();
    let next = Manager::start().await;
    next.change_source("connector_state", notes);
    let sync = move |ctx: SyncContext, _| async move {
        let document = Document::new("one", readers(&["Ops@example.com"]));
        Ok(ctx.upsert(document).await?)
    };
    let report = ran(&next, sync).await;
    assert_eq!(report["unsent_groups"], 0);
    assert_eq!(next.calls("connector-state").len(), 0);
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notes {
    webhook_id: Option<String>,
}

#[tokio::test]
async fn notes_of_the_connector_and_of_the_framework_do_not_disturb_each_other() {
    let manager = Manager::start().await;
    let state = json!({ "webhook_id": "16", "omni_connector": { "groups": "" } });
    manager.change_source("connector_state", state);
    ran(&manager, |ctx, _| async move {
        let notes: Notes = ctx.source().notes()?;
        assert_eq!(notes.webhook_id.as_deref(), Some("16"));
        ctx.change_notes(|notes: &mut Notes| notes.webhook_id = Some("17".to_owned()))
            .await?;
        Ok(ctx
            .members("ops@example.com", vec!["ann@example.com"])
            .await?)
    })
    .await;
    let calls = manager.calls("connector-state");
    assert_eq!(
        calls[0].body,
        json!({ "webhook_id": "17", "omni_connector": { "groups": "" } })
    );
    // This manager does not store the notes, so the second call begins with the old ones.
    assert_eq!(calls[1].body["webhook_id"], "16");
    assert_ne!(calls[1].body["omni_connector"]["groups"], "");
}

#[tokio::test]
async fn a_text_is_extracted_without_storing_and_the_owner_is_requested_once() {
    let manager = Manager::start().await;
    let instead = crate::support::Instead::Answer;
    manager.instead("extract-text", instead(200, json!({ "text": "words" })));
    manager.instead(
        "user-email",
        instead(200, json!({ "email": "ann@example.com" })),
    );
    let report = ran(&manager, |ctx, _| async move {
        assert_eq!(
            ctx.extract_text("%PDF", "application/pdf", None).await?,
            "words"
        );
        for _ in 0..2 {
            assert_eq!(ctx.owner_email().await?, "ann@example.com");
        }
        Ok(())
    })
    .await;
    assert_eq!(report["failed"], 0);
    assert!(manager.calls("complete").len() == 1);
    assert_eq!(manager.calls("extract-content").len(), 0);
}
