//! Nothing ends without a line: what has no effect is in the log, which is all that operators of Omni see.

use std::time::{Duration, Instant};

use omni_connector::{Checkpoint, Inventory, Walked, Watermark, prelude::*};
use serde_json::json;
use tracing::Level;

use crate::support::{Log, Manager, Process, Served, serve};

struct Note {
    author: Option<String>,
    kind: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    since: Watermark<f64>,
}

/// Notes whose author nobody knows.
#[connector(name = "quiet", source_types = [Web], sync_modes = [full, incremental], state = Cursor)]
struct Quiet;

#[connector]
impl Quiet {
    #[sync]
    async fn sync(&self, checkpoint: Checkpoint<Cursor>, ctx: SyncContext) -> Result<()> {
        let note = Note {
            author: None,
            kind: "memo".to_owned(),
        };
        let document = Document::new("a", DocumentPermissions::public());
        ctx.upsert(document.text("word").attributes_of(&note))
            .await?;
        checkpoint.since.take(&ctx, f64::NAN).commit();
        checkpoint.save().await?;
        Ok(())
    }

    #[search_operator]
    fn author(note: &Note) -> Option<String> {
        note.author.clone()
    }

    #[search_operator]
    fn kind(note: &Note) -> String {
        note.kind.clone()
    }

    #[webhook(path = "/hooks/quiet")]
    async fn changed(&self, request: WebhookRequest) -> Result<Webhook> {
        let ignored = Webhook::ignore();
        if request.body().is_empty() {
            return Ok(ignored);
        }
        Ok(ignored.answer("the challenge"))
    }
}

/// Waits for a line of the log, and returns all lines with this text.
async fn lines(log: &Log, text: &str) -> Vec<String> {
    let began = Instant::now();
    while log.with(text).is_empty() && began.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    log.with(text)
}

#[tokio::test]
async fn a_search_operator_without_any_value_is_named_after_a_full_run() {
    let (log, _guard) = Log::of_this_thread(Level::INFO);
    let manager = Manager::start().await;
    let served = serve(Quiet, &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    let found = lines(&log, "search with them finds nothing").await;
    assert_eq!(found.len(), 1, "{:#?}", log.lines());
    assert!(found[0].contains("operators=\"author\""), "{}", found[0]);
    served.start("R2", "incremental").await;
    served.ended("R2").await;
    assert_eq!(lines(&log, "the run completed").await.len(), 2);
    // A run that sends only what changed says nothing about the other documents.
    assert_eq!(log.with("search with them finds nothing").len(), 1);
}

#[tokio::test]
async fn a_watermark_that_cannot_be_saved_is_an_error_in_the_log() {
    let (log, _guard) = Log::of_this_thread(Level::INFO);
    let manager = Manager::start().await;
    let served = serve(Quiet, &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    let found = lines(&log, "a watermark cannot be saved").await;
    assert_eq!(found.len(), 1, "{:#?}", log.lines());
    assert!(found[0].contains("NaN"), "{}", found[0]);
    let saved = manager.calls("checkpoint");
    assert_eq!(saved.last().unwrap().body["since"], json!(null));
}

#[derive(Default, Serialize, Deserialize)]
struct Position {
    since: Watermark,
    folders: Inventory<u64>,
    // Left out when it is empty, and required when it is read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pages: Vec<u32>,
}

/// Notes on pages.
#[connector(name = "forgetful", source_types = [Web], sync_modes = [full, incremental], state = Position)]
struct Forgetful;

#[connector]
impl Forgetful {
    #[sync]
    async fn sync(&self, mut checkpoint: Checkpoint<Position>) -> Result<()> {
        checkpoint.pages.push(1);
        checkpoint.save().await?;
        checkpoint.pages.clear();
        Ok(checkpoint.save().await?)
    }
}

#[tokio::test]
async fn a_state_that_the_next_run_could_not_read_is_refused_when_it_is_saved() {
    let manager = Manager::start().await;
    let served = serve(Forgetful, &manager).await;
    served.start("R1", "full").await;
    let error = manager.told_of("fail").await["error"].to_string();
    assert!(
        error.contains("the next run could not read what this one saves")
            && error.contains("the field `pages` is missing")
            && error.contains("#[serde(default)]"),
        "{error}"
    );
    let saved = manager.calls("checkpoint");
    let saved = saved.iter().map(|call| &call.body["pages"]);
    assert_eq!(saved.collect::<Vec<_>>(), [&json!([1])]);
}

/// Notes in folders.
#[connector(name = "keeping", source_types = [Web], sync_modes = [full, incremental], state = Position)]
struct Keeping;

#[connector]
impl Keeping {
    #[sync]
    async fn sync(&self, mut checkpoint: Checkpoint<Position>, ctx: SyncContext) -> Result<()> {
        let mut walk = checkpoint.folders.walk(&ctx);
        let document = Document::new("a", DocumentPermissions::public());
        walk.upsert(document.text("word"), &1).await?;
        walk.finish(Walked::declared("everything was listed"))
            .await?;
        checkpoint.pages.push(1);
        Ok(checkpoint.save().await?)
    }
}

/// The state at the beginning of a full run has no pages, and cannot be read without.
#[tokio::test]
async fn a_state_that_cannot_be_read_when_it_is_new_stops_no_full_run() {
    let (log, _guard) = Log::of_this_thread(Level::WARN);
    let manager = Manager::start().await;
    let served = serve(Keeping, &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    let saved = manager.calls("checkpoint").last().unwrap().body.clone();
    assert_eq!(saved["pages"], json!([1]));
    manager.change_source("checkpoint", saved);
    served.start("R2", "full").await;
    served.ended("R2").await;
    assert_eq!(manager.calls("complete").len(), 2, "{:#?}", log.lines());
    let told = lines(&log, "the last checkpoint cannot be read").await;
    assert!(told[0].contains("the field `pages` is missing"), "{told:?}");
}

#[tokio::test]
async fn a_webhook_call_that_asks_for_nothing_is_logged_once() {
    let (log, _guard) = Log::of_this_thread(Level::INFO);
    let manager = Manager::start().await;
    let served = serve(Quiet, &manager).await;
    let (status, _) = served.post("/hooks/quiet", "handshake").await;
    assert_eq!(status, 200);
    for _ in 0..3 {
        let answer = served.post("/hooks/quiet", "").await;
        assert_eq!(answer, (200, json!({ "status": "ignored" })));
    }
    let found = lines(&log, "a webhook call was ignored").await;
    assert_eq!(found.len(), 1, "{:#?}", log.lines());
    assert!(found[0].contains("/hooks/quiet"), "{}", found[0]);
}

#[tokio::test]
#[ignore = "the test below runs it in a process of its own"]
async fn served() {
    omni_connector::serve(Quiet).await.unwrap();
}

#[tokio::test]
async fn a_setting_of_the_log_that_means_nothing_is_named() {
    for (name, value) in [("RUST_LOG", "info,acme=loud"), ("OMNI_LOG_FORMAT", "xml")] {
        let manager = Manager::start().await;
        let process = Process::start("quiet::served", &manager, &[(name, value)]);
        Served::registered(&manager).await;
        let log = process.end().await;
        let line = log.lines().find(|line| line.contains(name));
        assert!(line.is_some_and(|line| line.contains(value)), "{log}");
    }
}
