//! The pipeline's guarantees for authors: dropped futures lose nothing, memory is bounded, failures are reported.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
    time::{Duration, Instant},
};

use crate::support::{Instead, Manager, Scripted, serve};
use futures_util::future::{join_all, try_join_all};
use omni_connector::{
    Connector, FailureBudget, RunError, ServerConfig, prelude::*, serve_with_shutdown,
};
use tokio::sync::{Notify, oneshot};

fn document(id: impl Into<String>) -> Document<'static> {
    let id = id.into();
    Document::new(id.clone(), DocumentPermissions::public()).text(format!("text of {id}"))
}

#[tokio::test]
async fn a_checkpoint_whose_future_was_dropped_is_not_replaced_by_the_previous_one() {
    let manager = Manager::start().await;
    manager.change_source("checkpoint", json!("old"));
    let connector = Scripted::new(async |ctx, _| {
        ctx.upsert(document("d")).await?;
        let save = pin!(ctx.save_checkpoint("new"));
        let _ = save.poll(&mut Context::from_waker(Waker::noop()));
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    connector.start("R1", "incremental").await;
    manager.told_of("complete").await;
    let saved = manager
        .calls("checkpoint")
        .into_iter()
        .map(|call| call.body);
    assert_eq!(saved.collect::<Vec<_>>(), [json!("new")]);
}

#[tokio::test]
async fn many_checkpoints_need_few_calls_and_none_overtakes_an_event() {
    let manager = Manager::start().await;
    manager.delay(Duration::from_millis(20));
    let connector = Scripted::new(async |ctx, _| {
        let saves = (0..200).map(|n| {
            let ctx = ctx.clone();
            let emitted = ctx.delete(format!("d{n:03}"));
            async move {
                emitted.await?;
                ctx.save_checkpoint(n).await
            }
        });
        try_join_all(saves).await?;
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    connector.start("R1", "full").await;
    manager.told_of("complete").await;
    let saves = manager.calls("checkpoint");
    assert!(
        saves.len() <= 3,
        "{} calls for 200 checkpoints",
        saves.len()
    );
    assert_eq!(saves.last().unwrap().body, json!(199));
    assert_eq!(manager.documents().len(), 200);
}

#[tokio::test]
async fn full_batches_keep_their_order_even_if_one_is_refused() {
    let manager = Manager::start().await;
    manager.delay(Duration::from_millis(5));
    // One in the first batch, and one in the batch that is written while the first is being sent.
    manager.poison("d0007");
    manager.poison("d0612");
    let refusal = Instead::Answer(503, json!("busy"));
    manager.instead("/sdk/events/batch", refusal);
    let connector = Scripted::new(async |ctx, _| {
        for n in 0..3_300 {
            ctx.delete(format!("d{n:04}")).await?;
        }
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    connector.start("R1", "full").await;
    manager.told_of("complete").await;
    let accepted = (0..3_300).filter(|n| ![7, 612].contains(n));
    let accepted: Vec<_> = accepted.map(|n| format!("d{n:04}")).collect();
    assert_eq!(manager.documents(), accepted);
    assert_eq!(manager.most_at_once("batch"), 1);
}

#[tokio::test]
async fn contents_that_the_author_stores_count_against_the_limits_of_the_run() {
    let manager = Manager::start().await;
    manager.delay(Duration::from_millis(5));
    let connector = Scripted::new(async |ctx, _| {
        let texts = join_all((0..200).map(|n| ctx.store_content(format!("text {n}")))).await;
        anyhow::ensure!(texts.iter().all(Result::is_ok));
        ctx.complete().await?;
        let late = ctx.store_content("late").await;
        anyhow::ensure!(late == Err(RunError::Ended), "{late:?}");
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    connector.start("R1", "full").await;
    manager.told_of("complete").await;
    connector.ended("R1").await;
    assert_eq!(manager.calls("content").len(), 200);
    assert!(manager.calls("fail").is_empty());
    let at_once = manager.most_at_once("content");
    assert!(at_once <= 16, "{at_once} contents were stored at once");
    assert!(at_once >= 8, "contents are stored one after the other");
}

#[tokio::test]
async fn a_slow_content_does_not_delay_the_storing_of_others() {
    let manager = Manager::start().await;
    manager.instead("content", Instead::Wait(Duration::from_millis(600)));
    let connector = Scripted::new(async |ctx, _| {
        for n in 0..400 {
            ctx.upsert(document(format!("d{n:03}"))).await?;
        }
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    connector.start("R1", "full").await;
    tokio::time::sleep(Duration::from_millis(450)).await;
    let stored = manager.calls("content").len();
    assert!(
        stored > 100,
        "{stored} contents were stored beside a slow one"
    );
    assert_eq!(
        manager.documents(),
        Vec::<String>::new(),
        "the first event is still waited for"
    );
    manager.told_of("complete").await;
    let documents = manager.documents();
    assert!(documents.len() == 400 && documents.is_sorted());
}

#[tokio::test]
async fn too_many_failures_fail_the_run_with_the_latest() {
    let manager = Manager::start().await;
    let connector = Scripted::new(async |ctx, _| {
        // More failures than the report names, so that the latest is not among those.
        ctx.set_failure_budget(FailureBudget {
            limit: 120,
            ..FailureBudget::default()
        });
        for n in 0.. {
            ctx.item_failed(
                format!("f{n}"),
                "it is encrypted",
                Some("https://example.com/f"),
            );
            ctx.upsert(document(format!("d{n}"))).await?;
        }
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    connector.start("R1", "full").await;
    let failure = manager.told_of("fail").await["error"].to_string();
    assert!(
        failure.contains("121 of ")
            && failure.contains("`f120`: it is encrypted")
            && failure.contains("help: "),
        "{failure}"
    );
    connector.ended("R1").await;
    let report = connector.get("/sync/R1/report").await.1;
    assert_eq!(report["failed"], 121);
    assert_eq!(report["failed_at"], json!({ "read": 121 }));
    assert!(manager.calls("complete").is_empty());
}

#[tokio::test]
async fn too_large_a_share_of_failures_fails_the_run_at_its_end() {
    let manager = Manager::start().await;
    let connector = Scripted::new(async |ctx, _| {
        for n in 0..30 {
            ctx.item_failed(format!("f{n}"), "it is encrypted", None);
            ctx.upsert(document(format!("d{n}"))).await?;
        }
        ctx.save_checkpoint("past them").await?;
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    connector.start("R1", "full").await;
    let failure = manager.told_of("fail").await["error"].to_string();
    assert!(failure.contains("30 of 60 items failed"), "{failure}");
    assert_eq!(
        manager.documents().len(),
        30,
        "what was emitted is handed over"
    );
    assert!(manager.calls("complete").is_empty());
}

#[tokio::test]
async fn a_refused_count_does_not_fail_the_run() {
    let manager = Manager::start().await;
    for route in ["scanned", "updated"] {
        manager.instead(route, Instead::Answer(500, json!({ "error": "storage" })));
    }
    let connector = Scripted::new(async |ctx, _| {
        ctx.upsert(document("d")).await?;
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    connector.start("R1", "full").await;
    manager.told_of("complete").await;
    assert!(manager.calls("fail").is_empty());
}

#[tokio::test]
async fn an_html_page_is_not_a_valid_answer() {
    let manager = Manager::start().await;
    for route in ["events", "content", "checkpoint", "complete"] {
        manager.instead(route, Instead::Html);
    }
    let connector = Scripted::new(async |ctx, _| {
        ctx.upsert(document("d")).await?;
        ctx.save_checkpoint(1).await?;
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    connector.start("R1", "full").await;
    manager.told_of("complete").await;
    assert_eq!(manager.documents(), ["d"]);
    assert_eq!(manager.calls("checkpoint")[0].body, json!(1));
}

/// A save costs as much as the manager takes for it. The author asks for one at every item.
#[tokio::test]
async fn a_checkpoint_that_is_slow_to_save_is_saved_less_often() {
    let manager = Manager::start().await;
    manager.delay(Duration::from_millis(600));
    let connector = Scripted::new(async |ctx, state: Option<Value>| {
        let began = Instant::now();
        let mut checkpoint = Checkpoint::<Value>::new(state, &ctx)?;
        while began.elapsed() < Duration::from_secs(8) {
            checkpoint.save_now_and_then().await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    });
    let connector = serve(connector, &manager).await;
    connector.start("R1", "full").await;
    tokio::time::sleep(Duration::from_millis(8_500)).await;
    // After two seconds, and then ten times as long as a save takes. Every two seconds, it would be four.
    let saves = manager.calls("checkpoint").len();
    assert!((1..=2).contains(&saves), "{saves}");
    manager.delay(Duration::ZERO);
    connector.ended("R1").await;
}

#[tokio::test]
async fn a_shutdown_flushes_leaves_the_run_resumable_and_ends_in_time() {
    let manager = Manager::start().await;
    let connector = Scripted::new(async |ctx, _| {
        ctx.upsert(document("before")).await?;
        ctx.cancelled().await;
        ctx.upsert(document("on the way out")).await?;
        ctx.save_checkpoint("here").await?;
        Ok(())
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let (server, connector) = shutdown_by(connector, &manager, stopped).await;
    connector.start("R1", "full").await;
    manager.told_of("content").await;
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert_eq!(manager.documents(), ["before", "on the way out"]);
    assert_eq!(manager.calls("checkpoint")[0].body, json!("here"));
    assert!(manager.calls("complete").is_empty() && manager.calls("fail").is_empty());
}

#[tokio::test]
async fn a_run_that_ignores_the_shutdown_is_flushed_and_stopped() {
    let manager = Manager::start().await;
    let alive = Arc::new(());
    let held = Arc::downgrade(&alive);
    let connector = Scripted::new(move |ctx, _| {
        let alive = Arc::clone(&alive);
        async move {
            ctx.upsert(document("before")).await?;
            tokio::time::sleep(Duration::from_hours(1)).await;
            drop(alive);
            Ok(())
        }
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let (server, connector) = shutdown_by(connector, &manager, stopped).await;
    connector.start("R1", "full").await;
    manager.told_of("content").await;
    let asked = Instant::now();
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    // The grace of this server, plus two seconds.
    assert!(
        asked.elapsed() < Duration::from_millis(2_500),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(manager.documents(), ["before"]);
    assert!(manager.calls("complete").is_empty() && manager.calls("fail").is_empty());
    assert_eq!(held.strong_count(), 0, "the author's task is still there");
}

/// Writes in two steps, and says so.
#[connector(name = "writer", source_types = [Web])]
struct Writer {
    begun: Arc<Notify>,
    written: Arc<AtomicBool>,
}

#[connector]
impl Writer {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// Write.
    #[action(write)]
    async fn write(&self) -> Result<()> {
        self.begun.notify_one();
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.written.store(true, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test]
async fn a_shutdown_does_not_stop_a_write_half_way() {
    let manager = Manager::start().await;
    let (begun, written) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let writer = Writer {
        begun: Arc::clone(&begun),
        written: Arc::clone(&written),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let (server, connector) = shutdown_by(writer, &manager, stopped).await;
    let call =
        tokio::spawn(async move { connector.send("/action", r#"{"action":"write"}"#).await });
    begun.notified().await;
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert!(written.load(Ordering::Relaxed));
    drop(call.await);
}

async fn shutdown_by(
    connector: impl Connector,
    manager: &Manager,
    stopped: oneshot::Receiver<()>,
) -> (
    tokio::task::JoinHandle<anyhow::Result<()>>,
    crate::support::Served,
) {
    let mut config = ServerConfig::loopback(&manager.url);
    config.grace = Duration::from_millis(300);
    let server = tokio::spawn(serve_with_shutdown(connector, config, async {
        let _ = stopped.await;
    }));
    (server, crate::support::Served::registered(manager).await)
}
