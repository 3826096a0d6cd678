//! Attachments and long texts: a failure never removes what Omni has.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router, body::Bytes, extract::DefaultBodyLimit, http::StatusCode, response::IntoResponse,
    routing::post,
};
use omni_connector::{
    Access, Attachment, Checkpoint, Document, Inventory, ManagerClient, SyncContext, Walk, Walked,
    manager::{Data, EXTRACT_LIMIT, Extract},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Instead, Manager, Scripted, serve};

#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    pages: Inventory<u64>,
}

/// Runs `work` on a walk after a checkpoint and finishes the walk. Returns the report and the last saved checkpoint.
async fn walked<F>(
    manager: &Manager,
    checkpoint: Value,
    work: impl Fn(Walk<u64>) -> F + Send + Sync + 'static,
) -> (Value, Value)
where
    F: Future<Output = anyhow::Result<Walk<u64>>> + Send + 'static,
{
    manager.change_source("checkpoint", checkpoint.clone());
    let work = Arc::new(work);
    let connector = Scripted::new(move |ctx: SyncContext, state| {
        let work = Arc::clone(&work);
        async move {
            let state = state.map(serde_json::from_value).transpose()?;
            let checkpoint = Checkpoint::<Cursor>::new(state, &ctx)?;
            let walk = work(checkpoint.pages.walk(&ctx)).await?;
            walk.finish(Walked::declared("everything was seen")).await?;
            Ok(())
        }
    });
    let served = serve(connector, manager).await;
    let request = json!({ "sync_run_id": "R1", "source_id": "S1", "sync_mode": "incremental", "checkpoint": checkpoint });
    served.post("/sync", request.to_string()).await;
    served.ended("R1").await;
    let checkpoints = manager.calls("/checkpoint");
    let saved = checkpoints
        .last()
        .map_or(checkpoint, |save| save.body.clone());
    (served.get("/sync/R1/report").await.1, saved)
}

/// Sends a page, and its file unless the fetch fails. Returns how often the file was fetched.
async fn with_file(
    manager: &Manager,
    checkpoint: Value,
    page: u64,
    file: Result<&'static str, &'static str>,
) -> (Value, Value, usize) {
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&fetched);
    let (report, saved) = walked(manager, checkpoint, move |mut walk| {
        let count = Arc::clone(&count);
        async move {
            if walk.is_current("page", &page) {
                return Ok(walk);
            }
            let document = Document::new("page", Access::users(["ann@example.com"]));
            let child = document.child("page_file");
            walk.upsert(document, &page).await?;
            let fetch = async {
                count.fetch_add(1, Ordering::Relaxed);
                file
            };
            let attachment = Attachment::new("plan.pdf", "application/pdf");
            walk.attach(child, &1, attachment, fetch).await?;
            Ok(walk)
        }
    })
    .await;
    (report, saved, fetched.load(Ordering::Relaxed))
}

#[tokio::test]
async fn an_attachment_that_cannot_be_fetched_or_extracted_stays_and_is_tried_again() {
    for refused in [false, true] {
        let manager = Manager::start().await;
        let (report, saved, _) = with_file(&manager, Value::Null, 1, Ok("%PDF")).await;
        assert_eq!(report["failed"], 0);
        assert_eq!(manager.documents(), ["page", "page_file"]);

        // The page is edited, and its file fails: the file is neither sent nor deleted.
        let manager = Manager::start().await;
        let mut checkpoint = saved;
        if refused {
            manager.instead(
                "extract-content",
                Instead::Answer(500, json!({ "error": "broken" })),
            );
            for _ in 0..30 {
                manager.instead(
                    "extract-content",
                    Instead::Answer(413, json!({ "error": "no" })),
                );
            }
            // Omni has another version of the file.
            checkpoint["pages"] = json!({ "page": 1, "page_file": 1 });
        } else {
            checkpoint["pages"] = json!({ "page": 1, "page_file": 1 });
        }
        let file = if refused {
            Ok("%PDF")
        } else {
            Err("the download answers 503")
        };
        let (report, saved, _) = with_file(&manager, checkpoint, 2, file).await;
        assert_eq!(manager.documents(), ["page"], "refused: {refused}");
        assert_eq!(report["failures"][0]["item"], "page_file");
        assert_eq!(report["deleted"], 0);

        // The page did not change. Its file is fetched again, and arrives.
        let manager = Manager::start().await;
        let (report, _, fetched) = with_file(&manager, saved, 2, Ok("%PDF")).await;
        assert_eq!((report["failed"].clone(), fetched), (json!(0), 1));
        assert!(manager.documents().contains(&"page_file".to_owned()));
    }
}

#[tokio::test]
async fn an_attachment_is_fetched_again_only_when_it_or_its_readers_changed() {
    let manager = Manager::start().await;
    let (_, saved, fetched) = with_file(&manager, Value::Null, 1, Ok("%PDF")).await;
    assert_eq!(fetched, 1);
    let manager = Manager::start().await;
    let (_, _, fetched) = with_file(&manager, saved.clone(), 2, Ok("%PDF")).await;
    assert_eq!((fetched, manager.documents()), (0, vec!["page".to_owned()]));

    let manager = Manager::start().await;
    walked(&manager, saved, |mut walk| async move {
        let document = Document::new("page", Access::users(["bob@example.com"]));
        let child = document.child("page_file");
        walk.upsert(document, &2).await?;
        let attachment = Attachment::new("plan.pdf", "application/pdf");
        let fetch = async { Ok::<_, std::convert::Infallible>("%PDF") };
        walk.attach(child, &1, attachment, fetch).await?;
        Ok(walk)
    })
    .await;
    assert_eq!(manager.documents(), ["page", "page_file"]);
}

#[tokio::test]
async fn an_unreadable_file_becomes_a_document_without_being_fetched() {
    let manager = Manager::start().await;
    walked(&manager, Value::Null, |mut walk| async move {
        let document = Document::new("page", Access::public());
        let [image, huge] = ["image", "huge"].map(|id| document.child(id));
        walk.upsert(document, &1).await?;
        for (child, file) in [
            (image, Attachment::new("plan.png", "image/png").size(7)),
            (
                huge,
                Attachment::new("plan.pdf", "application/pdf").size(EXTRACT_LIMIT + 1),
            ),
        ] {
            let fetch = async { Err::<&'static str, _>("it is not to be fetched") };
            walk.attach(child, &1, file, fetch).await?;
        }
        Ok(walk)
    })
    .await;
    let events = manager.calls("events");
    let events = events[0].body["events"].as_array().unwrap().clone();
    assert_eq!(events.len(), 3);
    assert_eq!(events[1]["metadata"]["title"], "plan.png");
    assert_eq!(events[1]["metadata"]["size"], "7");
    assert_eq!(manager.calls("extract").len(), 0);
}

#[tokio::test]
async fn a_file_is_streamed_to_extraction_and_again_after_a_failure() {
    let bytes: Arc<Vec<u8>> = Arc::new((0..700_000_u32).flat_map(u32::to_le_bytes).collect());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();

    let asked = Arc::new(AtomicUsize::new(0));
    let (expected, count) = (Arc::clone(&bytes), Arc::clone(&asked));
    let extract = move |body: Bytes| {
        let (expected, count) = (Arc::clone(&expected), Arc::clone(&count));
        async move {
            if count.fetch_add(1, Ordering::Relaxed) == 0 {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            let has_all = body
                .windows(expected.len())
                .any(|part| part == &expected[..]);
            Json(json!({ "text": has_all.to_string() })).into_response()
        }
    };
    let router = Router::new().route("/sdk/extract-text", post(extract));
    let router = router.layer(DefaultBodyLimit::disable());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let path = file.path().to_owned();
    let extract = Extract {
        data: Data::file(bytes.len() as u64, move || std::fs::File::open(&path)),
        mime_type: "application/pdf".to_owned(),
        filename: None,
    };
    let manager = ManagerClient::new(&url);
    assert_eq!(
        manager.extract_text("R1", &extract).await,
        Ok("true".to_owned())
    );
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_long_text_continues_in_documents_that_are_deleted_when_it_shrinks() {
    let parts = |parts: &'static [&'static str]| {
        move |mut walk: Walk<u64>| async move {
            let version = parts.len() as u64;
            if walk.is_current("day", &version) {
                return Ok(walk);
            }
            let mut document = Document::new("day", Access::public())
                .title("Ops")
                .parts_limit(12);
            for part in parts {
                document = document.part(*part);
            }
            walk.upsert(document, &version).await?;
            Ok(walk)
        }
    };
    let manager = Manager::start().await;
    let three = parts(&["ann: it is", "bob: it was", "cyd: it ran"]);
    let (report, saved) = walked(&manager, Value::Null, three).await;
    assert_eq!(manager.documents(), ["day", "day_p2", "day_p3"]);
    let texts = manager.calls("/sdk/content");
    let mut texts: Vec<_> = texts
        .iter()
        .map(|call| call.body["content"].clone())
        .collect();
    texts.sort_by_key(ToString::to_string);
    assert_eq!(texts, ["ann: it is", "bob: it was", "cyd: it ran"]);
    assert_eq!(report["failed"], 0);

    // An unchanged document is not sent, and its pieces are not deleted.
    let manager = Manager::start().await;
    walked(&manager, saved.clone(), parts(&["", "", ""])).await;
    assert_eq!(manager.documents(), Vec::<String>::new());

    let manager = Manager::start().await;
    walked(&manager, saved, parts(&["ann: it is", "bob"])).await;
    assert_eq!(manager.documents(), ["day", "day_p2", "day_p3"]);
    let events = manager.calls("events");
    let kinds = events[0].body["events"].as_array().unwrap().clone();
    let kinds: Vec<_> = kinds.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(
        kinds,
        ["document_created", "document_created", "document_deleted"]
    );
}

#[tokio::test]
async fn an_id_that_omni_cannot_index_is_a_failed_item_and_no_batch_is_lost() {
    let manager = Manager::start().await;
    let connector = Scripted::new(|ctx, _| async move {
        for id in ["x".repeat(2_601), String::new(), "fine".to_owned()] {
            ctx.upsert(Document::new(id, Access::public())).await?;
        }
        Ok(())
    });
    let served = serve(connector, &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    assert_eq!(manager.documents(), ["fine"]);
    assert_eq!(served.get("/sync/R1/report").await.1["failed"], 2);
}
