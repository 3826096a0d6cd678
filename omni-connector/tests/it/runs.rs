//! The runtime's guarantees for a run, from the request to its end, over real HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::support::{Instead, Manager, Scripted, serve};
use omni_connector::{Document, DocumentPermissions, Group, Inventory, Walked};
use serde_json::{Value, json};

/// Makes a connector whose runs emit this many documents.
fn emitting(count: usize) -> Scripted {
    Scripted::new(move |ctx, _| async move {
        for n in 0..count {
            ctx.upsert(document(format!("d{n:02}"))).await?;
        }
        Ok(())
    })
}

fn document(id: impl Into<String>) -> Document<'static> {
    let id = id.into();
    Document::new(id.clone(), DocumentPermissions::public())
        .title(&id)
        .text(format!("text of {id}"))
}

#[tokio::test]
async fn a_run_that_returns_is_completed_after_all_its_events() {
    let manager = Manager::start().await;
    let connector = serve(
        Scripted::new(async |ctx, _| {
            for n in 0..5 {
                ctx.upsert(document(format!("d{n}"))).await?;
            }
            ctx.delete("old").await?;
            ctx.save_checkpoint(json!({ "page": 5 })).await?;
            Ok(())
        }),
        &manager,
    )
    .await;
    assert_eq!(
        connector.start("R1", "full").await,
        (200, json!({ "status": "started" }))
    );
    manager.told_of("complete").await;
    assert_eq!(manager.documents(), ["d0", "d1", "d2", "d3", "d4", "old"]);
    let order: Vec<_> = manager
        .routes()
        .into_iter()
        .filter(|route| !route.contains("content"))
        .collect();
    assert_eq!(
        order,
        [
            "POST /sdk/events/batch",
            "PUT /sdk/sync/R1/checkpoint",
            "POST /sdk/sync/R1/scanned",
            "POST /sdk/sync/R1/updated",
            "POST /sdk/sync/R1/complete",
        ]
    );
    assert_eq!(manager.calls("scanned")[0].body, json!({ "count": 5 }));
    connector.ended("R1").await;
    let report = connector.get("/sync/R1/report").await.1;
    assert_eq!(
        (&report["scanned"], &report["updated"], &report["deleted"]),
        (&json!(5), &json!(5), &json!(1))
    );
}

#[tokio::test]
async fn events_carry_the_ids_of_the_run_and_addresses_in_lower_case() {
    let manager = Manager::start().await;
    let connector = serve(
        Scripted::new(async |ctx, _| {
            let permissions =
                DocumentPermissions::users([" Ann@Example.com"]).and_groups(["Ops@Example.com"]);
            ctx.upsert(Document::new("d", permissions).text("a\0b"))
                .await?;
            ctx.group(Group::new("Ops@Example.com", ["Ann@Example.com"]))
                .await?;
            Ok(())
        }),
        &manager,
    )
    .await;
    connector.start("R1", "full").await;
    let batch = manager.told_of("events/batch").await;
    let [document, group] = &batch["events"].as_array().unwrap()[..] else {
        panic!("{batch}")
    };
    assert_eq!(
        (&document["sync_run_id"], &document["source_id"]),
        (&json!("R1"), &json!("S1"))
    );
    assert_eq!(
        document["permissions"],
        json!({ "public": false, "users": ["ann@example.com"], "groups": ["ops@example.com"] })
    );
    assert_eq!(document["attributes"], json!({}));
    assert_eq!(group["group_email"], "ops@example.com");
    assert_eq!(group["member_emails"], json!(["ann@example.com"]));
    assert_eq!(manager.calls("content")[0].body["content"], "a b");
}

/// The manager removes them.
#[tokio::test]
async fn control_characters_in_a_text_join_no_words() {
    let manager = Manager::start().await;
    let connector = serve(
        Scripted::new(async |ctx, _| {
            let document = Document::new("d", DocumentPermissions::public());
            ctx.upsert(document.text("first\u{b}second\u{c}third\u{85}fourth\r\n\tfifth"))
                .await?;
            Ok(())
        }),
        &manager,
    )
    .await;
    connector.start("R1", "full").await;
    connector.ended("R1").await;
    let sent = &manager.calls("content")[0].body["content"];
    assert_eq!(sent, "first second third fourth\r\n\tfifth");
}

#[tokio::test]
async fn deletes_that_two_listings_hold_back_are_added_up() {
    let manager = Manager::start().await;
    let connector = Scripted::new(|ctx, _| async move {
        for known in [vec!["a1", "a2", "a3"], vec!["b1", "b2", "b3", "b4"]] {
            let listing = ctx.listing(known);
            ctx.delete_unseen(listing.finish()?).await?;
        }
        let people = ctx.listing(["ann@example.com", "bob@example.com"]);
        ctx.delete_unseen_people(people.finish()?).await?;
        let known = ["c1", "c2", "c3"].map(|id| (id.to_owned(), Some(1)));
        let known: Inventory<u8> = known.into_iter().collect();
        let walk = known.walk(&ctx);
        walk.finish(Walked::declared("the source is empty")).await?;
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    connector.start("R1", "full").await;
    connector.ended("R1").await;
    assert_eq!(connector.get("/sync/R1/report").await.1["held_back"], 12);
    assert_eq!(manager.documents(), Vec::<String>::new());
}

#[tokio::test]
async fn an_error_fails_the_run_with_its_chain() {
    let manager = Manager::start().await;
    let connector = serve(
        Scripted::new(async |ctx, _| {
            ctx.upsert(document("before")).await?;
            Err(anyhow::anyhow!("connection refused").context("cannot list projects"))
        }),
        &manager,
    )
    .await;
    connector.start("R1", "full").await;
    assert_eq!(
        manager.told_of("fail").await,
        json!({ "error": "cannot list projects: connection refused" })
    );
    assert_eq!(
        manager.documents(),
        ["before"],
        "what was emitted before the error is handed over"
    );
    assert!(manager.calls("complete").is_empty());
}

#[tokio::test]
async fn a_panic_fails_the_run_and_frees_its_slot() {
    let manager = Manager::start().await;
    let line = line!() + 2;
    let connector = serve(
        Scripted::new(async |_, _| panic!("index out of bounds")),
        &manager,
    )
    .await;
    connector.start("R1", "full").await;
    let failure = manager.told_of("fail").await["error"].to_string();
    let place = format!("the connector panicked at {}:{line}:", file!());
    assert!(
        failure.contains(&place) && failure.ends_with(": index out of bounds\""),
        "{failure}"
    );
    connector.ended("R1").await;
    assert_eq!(connector.start("R2", "full").await.0, 200);
}

#[tokio::test]
async fn a_run_that_is_over_starts_nothing_however_many_came_after_it() {
    let manager = Manager::start().await;
    let started = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&started);
    let connector = Scripted::new(move |_, _| {
        counter.fetch_add(1, Ordering::Relaxed);
        async { Ok(()) }
    });
    let connector = serve(connector, &manager).await;
    for run in 0..60 {
        let run = format!("R{run}");
        assert_eq!(connector.start(&run, "incremental").await.0, 200);
        connector.ended(&run).await;
    }
    for run in 0..60 {
        assert_eq!(
            connector.start(&format!("R{run}"), "incremental").await.0,
            200
        );
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(started.load(Ordering::Relaxed), 60);
}

#[tokio::test]
async fn the_same_run_again_is_200_and_another_is_409() {
    let manager = Manager::start().await;
    let started = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&started);
    let connector = Scripted::new(move |ctx, _| {
        counter.fetch_add(1, Ordering::Relaxed);
        async move {
            ctx.cancelled().await;
            Ok(())
        }
    });
    let connector = serve(connector, &manager).await;
    // At the same time, as when the manager repeats a request whose answer has not arrived.
    let (first, second) =
        tokio::join!(connector.start("R1", "full"), connector.start("R1", "full"));
    assert_eq!((first.0, second.0), (200, 200));
    assert_eq!(
        connector.start("R1", "full").await,
        (200, json!({ "status": "started" }))
    );
    let (status, body) = connector.start("R2", "incremental").await;
    assert_eq!(status, 409);
    assert_eq!(
        body["message"],
        "sync run `R1` is already working on this source"
    );
    assert_eq!(
        connector.get("/sync/R1").await,
        (200, json!({ "running": true }))
    );
    assert_eq!(
        connector.get("/sync/R2").await,
        (200, json!({ "running": false }))
    );
    assert_eq!(started.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_cancel_frees_the_slot_at_once_and_nothing_more_is_sent() {
    let manager = Manager::start().await;
    let connector = serve(
        Scripted::new(async |ctx, _| {
            // An author that ignores every error and the cancel.
            for n in 0.. {
                let _ = ctx.upsert(document(format!("d{n}"))).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(())
        }),
        &manager,
    )
    .await;
    connector.start("R1", "full").await;
    manager.told_of("content").await;
    assert_eq!(
        connector
            .post("/cancel", json!({ "sync_run_id": "R1" }).to_string())
            .await,
        (200, json!({ "status": "cancelled" }))
    );
    assert_eq!(
        connector.get("/sync/R1").await.1,
        json!({ "running": false })
    );
    tokio::time::sleep(Duration::from_millis(50)).await;
    let told = manager.routes().len();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(
        manager.routes().len(),
        told,
        "a cancelled run goes on sending"
    );
    assert!(manager.calls("complete").is_empty() && manager.calls("fail").is_empty());
    assert_eq!(connector.start("R2", "full").await.0, 200);
    assert_eq!(
        connector
            .post("/cancel", json!({ "sync_run_id": "R9" }).to_string())
            .await,
        (404, json!({ "status": "not_found" }))
    );
}

#[tokio::test]
async fn a_run_that_saves_nothing_keeps_the_previous_checkpoint() {
    let manager = Manager::start().await;
    manager.change_source("checkpoint", json!({ "cursor": "kept" }));
    let connector = serve(Scripted::new(async |_, _| Ok(())), &manager).await;
    connector.start("R1", "incremental").await;
    manager.told_of("complete").await;
    assert_eq!(
        manager.calls("checkpoint")[0].body,
        json!({ "cursor": "kept" })
    );
}

#[tokio::test]
async fn a_null_checkpoint_is_never_sent() {
    let manager = Manager::start().await;
    manager.change_source("checkpoint", json!({ "cursor": "kept" }));
    let connector = serve(
        Scripted::new(async |ctx, _| {
            ctx.save_checkpoint(None::<String>).await?;
            Ok(())
        }),
        &manager,
    )
    .await;
    connector.start("R1", "incremental").await;
    manager.told_of("complete").await;
    assert_eq!(
        manager.calls("checkpoint")[0].body,
        json!({ "cursor": "kept" })
    );
}

#[tokio::test]
async fn a_full_run_starts_over_unless_it_resumes_from_its_own_checkpoint() {
    let manager = Manager::start().await;
    manager.change_source("checkpoint", json!("of the source"));
    let connector = serve(
        Scripted::new(async |ctx, checkpoint: Option<Value>| {
            ctx.skip(
                ctx.sync_run_id(),
                checkpoint.map_or("none".to_owned(), |value| value.to_string()),
            );
            Ok(())
        }),
        &manager,
    )
    .await;
    for (run, mode, extra, expected) in [
        ("R1", "full", json!({ "checkpoint": "sent" }), "none"),
        (
            "R2",
            "full",
            json!({ "checkpoint": "sent", "is_resume": true }),
            "\"sent\"",
        ),
        // The manager sends the source's checkpoint to a run that has saved none.
        (
            "R2b",
            "full",
            json!({ "checkpoint": "of the source", "is_resume": true }),
            "none",
        ),
        (
            "R2c",
            "full",
            json!({ "is_resume": true }),
            "\"of the source\"",
        ),
        (
            "R3",
            "incremental",
            json!({ "checkpoint": "sent" }),
            "\"sent\"",
        ),
        ("R4", "incremental", json!({}), "\"of the source\""),
        (
            "R5",
            "incremental",
            json!({ "checkpoint": null }),
            "\"of the source\"",
        ),
    ] {
        let mut body = json!({ "sync_run_id": run, "source_id": "S1", "sync_mode": mode });
        body.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        assert_eq!(connector.post("/sync", body.to_string()).await.0, 200);
        connector.ended(run).await;
        let report = connector.get(&format!("/sync/{run}/report")).await.1;
        assert_eq!(report["skips"][0]["reason"], expected, "{run}");
    }
}

#[tokio::test]
async fn a_late_request_for_an_ended_run_is_answered_and_runs_nothing() {
    let manager = Manager::start().await;
    let connector = serve(Scripted::new(async |_, _| Ok(())), &manager).await;
    for _ in 0..2 {
        let (status, answer) = connector.start("R1", "full").await;
        assert_eq!((status, answer), (200, json!({ "status": "started" })));
        connector.ended("R1").await;
    }
    assert_eq!(connector.start("R2", "full").await.0, 200);
    connector.ended("R2").await;
    assert_eq!(manager.calls("/complete").len(), 2, "R1 and R2");
}

#[tokio::test]
async fn dropping_the_future_of_an_emit_loses_nothing() {
    let manager = Manager::start().await;
    let connector = serve(
        Scripted::new(async |ctx, _| {
            for n in 0..50 {
                drop(ctx.upsert(document(format!("d{n:02}"))));
            }
            Ok(())
        }),
        &manager,
    )
    .await;
    connector.start("R1", "full").await;
    manager.told_of("complete").await;
    assert_eq!(
        manager.documents(),
        (0..50).map(|n| format!("d{n:02}")).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn an_invalid_event_is_named_and_the_others_arrive_in_order() {
    let manager = Manager::start().await;
    manager.poison("d13");
    let connector = serve(emitting(40), &manager).await;
    connector.start("R1", "full").await;
    manager.told_of("complete").await;
    assert_eq!(
        manager.documents(),
        (0..40)
            .filter(|n| *n != 13)
            .map(|n| format!("d{n:02}"))
            .collect::<Vec<_>>()
    );
    connector.ended("R1").await;
    let report = connector.get("/sync/R1/report").await.1;
    assert_eq!(
        (
            &report["failures"][0]["item"],
            &report["failures"][0]["stage"]
        ),
        (&json!("d13"), &json!("send"))
    );
    assert_eq!(
        (&report["scanned"], &report["updated"], &report["failed"]),
        (&json!(40), &json!(39), &json!(1))
    );
}

#[tokio::test]
async fn a_batch_that_is_too_long_arrives_in_parts() {
    let manager = Manager::start().await;
    let refusal = Instead::Answer(413, json!("a proxy takes less"));
    manager.instead("/sdk/events/batch", refusal);
    let connector = serve(emitting(40), &manager).await;
    connector.start("R1", "full").await;
    manager.told_of("complete").await;
    let all: Vec<_> = (0..40).map(|n| format!("d{n:02}")).collect();
    assert_eq!(manager.documents(), all);
}

#[tokio::test]
async fn a_document_whose_content_is_refused_fails_alone_and_the_run_continues() {
    let manager = Manager::start().await;
    manager.instead(
        "/sdk/content",
        Instead::Answer(413, json!({ "error": "too large" })),
    );
    let connector = serve(
        Scripted::new(async |ctx, _| {
            let link = "https://wiki.example.com/large";
            ctx.upsert(document("large").url(link)).await?;
            ctx.upsert(document("next")).await?;
            Ok(())
        }),
        &manager,
    )
    .await;
    connector.start("R1", "full").await;
    manager.told_of("complete").await;
    connector.ended("R1").await;
    let report = connector.get("/sync/R1/report").await.1;
    let failure = &report["failures"][0];
    assert_eq!(
        (&failure["item"], &failure["stage"], &failure["link"]),
        (
            &json!("large"),
            &json!("store"),
            &json!("https://wiki.example.com/large")
        )
    );
    assert!(failure["cause"].as_str().unwrap().contains("too large"));
    assert_eq!(
        (&report["scanned"], &report["failed"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(manager.documents().len(), 1);
}

#[tokio::test]
async fn a_run_that_the_manager_reports_as_ended_stops() {
    let manager = Manager::start().await;
    let refusal = json!({ "error": "Events require a running sync run" });
    manager.instead("/sdk/events/batch", Instead::Answer(400, refusal));
    let connector = serve(emitting(100_000), &manager).await;
    connector.start("R1", "full").await;
    connector.ended("R1").await;
    assert!(
        manager.calls("complete").is_empty() && manager.calls("fail").is_empty(),
        "a run that is over must not be ended again"
    );
    assert_eq!(manager.documents(), Vec::<String>::new());
}

#[tokio::test]
async fn a_run_whose_events_are_refused_for_good_fails_with_the_reason() {
    let manager = Manager::start().await;
    let refusal = json!({ "error": "Cannot emit events for deleted source" });
    manager.instead("/sdk/events/batch", Instead::Answer(400, refusal));
    let connector = serve(emitting(100_000), &manager).await;
    connector.start("R1", "full").await;
    let failure = manager.told_of("fail").await;
    assert!(
        failure["error"]
            .as_str()
            .unwrap()
            .contains("deleted source"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_run_whose_last_events_are_refused_for_good_fails_with_the_reason() {
    let manager = Manager::start().await;
    let refusal = json!({ "error": "Cannot emit events for deleted source" });
    manager.instead("/sdk/events/batch", Instead::Answer(400, refusal));
    let connector = serve(
        Scripted::new(async |ctx, _| Ok(ctx.upsert(document("only".to_owned())).await?)),
        &manager,
    )
    .await;
    connector.start("R1", "full").await;
    let failure = manager.told_of("fail").await;
    assert!(
        failure["error"]
            .as_str()
            .unwrap()
            .contains("deleted source"),
        "{failure}"
    );
    assert!(manager.calls("complete").is_empty());
}

#[tokio::test]
async fn a_temporary_failure_of_the_manager_loses_nothing() {
    let manager = Manager::start().await;
    for (route, instead) in [
        ("content", Instead::Answer(503, json!("busy"))),
        ("content", Instead::LoseAnswer),
        (
            "events",
            Instead::Answer(500, json!({ "error": "storage" })),
        ),
        ("events", Instead::LoseAnswer),
        ("checkpoint", Instead::Answer(502, json!("<html>"))),
        ("checkpoint", Instead::LoseAnswer),
        (
            "complete",
            Instead::Answer(429, json!({ "error": "slow down" })),
        ),
        ("complete", Instead::LoseAnswer),
    ] {
        manager.instead(route, instead);
    }
    let connector = serve(
        Scripted::new(async |ctx, _| {
            for n in 0..20 {
                ctx.upsert(document(format!("d{n:02}"))).await?;
            }
            ctx.save_checkpoint(json!(20)).await?;
            Ok(())
        }),
        &manager,
    )
    .await;
    connector.start("R1", "full").await;
    manager.told_of("complete").await;
    let mut documents = manager.documents();
    documents.dedup();
    // A batch whose answer was lost is sent again. The manager treats it as the same upserts.
    let expected: Vec<_> = (0..20).map(|n| format!("d{n:02}")).collect();
    assert_eq!(documents[documents.len() - 20..], expected);
    assert_eq!(documents.len() % 20, 0, "a batch was torn: {documents:?}");
    assert_eq!(manager.calls("checkpoint")[0].body, json!(20));
}

#[tokio::test]
async fn a_slow_manager_slows_the_author_down() {
    let manager = Manager::start().await;
    let emitted = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&emitted);
    let connector = Scripted::new(move |ctx, _| {
        let counter = Arc::clone(&counter);
        async move {
            for n in 0..100_000 {
                ctx.upsert(document(format!("d{n}"))).await?;
                counter.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }
    });
    let connector = serve(connector, &manager).await;
    manager.delay(Duration::from_millis(200));
    connector.start("R1", "full").await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    let held = emitted.load(Ordering::Relaxed) - manager.documents().len();
    assert!(held <= 2_500, "{held} documents are held in memory");
    connector
        .post("/cancel", json!({ "sync_run_id": "R1" }).to_string())
        .await;
}

#[tokio::test]
async fn the_same_content_is_stored_once_in_a_run() {
    let manager = Manager::start().await;
    let connector = serve(
        Scripted::new(async |ctx, _| {
            for n in 0..100 {
                ctx.upsert(
                    Document::new(format!("d{n}"), DocumentPermissions::public()).text("the same"),
                )
                .await?;
            }
            Ok(())
        }),
        &manager,
    )
    .await;
    connector.start("R1", "full").await;
    manager.told_of("complete").await;
    assert_eq!(manager.calls("content").len(), 1);
    assert_eq!(manager.documents().len(), 100);
}

#[tokio::test]
async fn a_run_that_cannot_start_is_refused_with_a_reason() {
    let manager = Manager::start().await;
    let mut connector = Scripted::new(async |_, _| Ok(()));
    connector.needs_credentials = true;
    let connector = serve(connector, &manager).await;

    let (status, body) = connector.start("R1", "realtime").await;
    assert_eq!(
        (status, &body["message"]),
        (404, &json!("this connector has no realtime sync"))
    );

    let (status, body) = connector.start("R1", "full").await;
    assert_eq!(status, 400);
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("has no credentials"),
        "{body}"
    );

    manager.change_source("config", json!({ "root_url": 7 }));
    let answer = connector.start("R1", "full").await;
    assert_eq!(answer.0, 400);

    manager.change_source("is_active", json!(false));
    let (status, body) = connector.start("R1", "full").await;
    assert_eq!(
        (status, &body["message"]),
        (400, &json!("source `Team wiki` is switched off"))
    );

    let unknown = json!({ "sync_run_id": "R1", "source_id": "S9", "sync_mode": "full" });
    let (status, body) = connector.post("/sync", unknown.to_string()).await;
    assert_eq!(
        (status, &body["message"]),
        (404, &json!("source `S9` does not exist"))
    );
}

#[tokio::test]
async fn a_wrong_config_is_refused_with_the_path_of_the_field() {
    let manager = Manager::start().await;
    manager.change_source("config", json!({ "root_url": 7 }));
    let connector = serve(Scripted::new(async |_, _| Ok(())), &manager).await;
    let (status, body) = connector.start("R1", "full").await;
    assert_eq!(status, 400);
    assert_eq!(
        body["message"],
        "invalid config: `root_url` is of the wrong type, expected a string"
    );
}

#[tokio::test]
async fn actions_answer_with_the_statuses_of_the_protocol() {
    let manager = Manager::start().await;
    let connector = serve(Scripted::new(async |_, _| Ok(())), &manager).await;
    let call = |action: &str| {
        json!({ "action": action, "params": null, "credentials": null, "source": null, "actor_email": null }).to_string()
    };
    for (action, status, body) in [
        ("echo", 200, json!({ "status": "success", "result": {} })),
        (
            "nope",
            404,
            json!({ "status": "error", "error": "Action not supported: nope" }),
        ),
        (
            "fail",
            500,
            json!({ "status": "error", "error": "the tracker is down" }),
        ),
        (
            "panic",
            500,
            json!({ "status": "error", "error": "action `panic` panicked: the action fell over" }),
        ),
        ("echo", 200, json!({ "status": "success", "result": {} })),
    ] {
        assert_eq!(
            connector.post("/action", call(action)).await,
            (status, body),
            "{action}"
        );
    }
}

#[tokio::test]
async fn an_invalid_request_body_is_400_within_a_second() {
    let manager = Manager::start().await;
    let connector = serve(Scripted::new(async |_, _| Ok(())), &manager).await;
    let deep = "[".repeat(10_000);
    for path in [
        "/sync",
        "/cancel",
        "/action",
        "/resource",
        "/prompt",
        "/skill",
    ] {
        for body in ["", "{", "\u{feff}{}", deep.as_str(), "{\"sync_run_id\":7}"] {
            let started = Instant::now();
            let (status, answer) = connector.post(path, body.to_owned()).await;
            // A route that only answers that there is no MCP server does not read the body.
            let expected = if body.contains('7') && matches!(path, "/resource" | "/prompt") {
                404
            } else {
                400
            };
            assert_eq!(status, expected, "{path} {body:.20}: {answer}");
            assert!(started.elapsed() < Duration::from_secs(1));
        }
        let (status, _) = connector.post(path, vec![0xff; 1 << 20]).await;
        assert_eq!(status, 400, "{path}");
    }
    assert_eq!(
        connector.post("/sync", vec![b' '; (64 << 20) + 1]).await.0,
        413
    );
    assert_eq!(connector.get("/health").await.0, 200);
}

#[tokio::test]
async fn without_an_mcp_server_its_routes_answer_that() {
    let manager = Manager::start().await;
    let connector = serve(Scripted::new(async |_, _| Ok(())), &manager).await;
    let none = json!({ "error": "MCP is not enabled for this connector" });
    assert_eq!(
        connector
            .post("/resource", r#"{"uri":"a:b","credentials":{}}"#)
            .await,
        (404, none.clone())
    );
    assert_eq!(
        connector
            .post("/prompt", r#"{"name":"a","credentials":{}}"#)
            .await,
        (404, none)
    );
    let (status, body) = connector
        .post("/skill", r#"{"skill_id":"a","credentials":{}}"#)
        .await;
    assert_eq!(
        (status, body),
        (404, json!({ "error": "Skill not found: a" }))
    );
}
