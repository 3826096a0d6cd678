//! Tests the log, which is all that operators of Omni see of a run.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use omni_connector::{
    Access, FailureBudget, Group, RunReport, ServerConfig, prelude::*, serve_with_shutdown,
};
use tokio::sync::{Notify, oneshot};
use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

use crate::support::{Log, Manager, Scripted, Served, serve};

#[tokio::test]
async fn a_run_ends_with_one_line_for_each_kind_of_loss_with_count_and_first_names() {
    let (log, _guard) = Log::of_this_thread(Level::INFO);
    let manager = Manager::start().await;
    let sync = |ctx: SyncContext, _| async move {
        for item in ["one.tmp", "two.tmp", "three.tmp", "four.tmp"] {
            ctx.skip(item, "temporary files are left out");
        }
        ctx.skip("socket", "not a file");
        for item in ["a.docx", "b.docx"] {
            ctx.item_failed(item, "its disk is broken", None);
        }
        let readers =
            Access::from(DocumentPermissions::private().and_groups(["ghosts@example.com"]));
        ctx.upsert(Document::new("twice", readers)).await?;
        let people = Access::users(["Ann <ann@example.com>"]);
        ctx.upsert(Document::new("twice", people)).await?;
        ctx.group(Group::new("known@example.com", ["bob"])).await?;
        Ok(())
    };
    let served = serve(Scripted::new(sync), &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    let ended = Instant::now();
    while log.with("not e-mail addresses").is_empty() && ended.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for (text, level, parts) in [
        (
            "skipped: temporary files are left out",
            " INFO ",
            vec!["count=4", "one.tmp, two.tmp, three.tmp\""],
        ),
        ("skipped: not a file", " INFO ", vec!["count=1", "socket"]),
        (
            "failed: its disk is broken",
            " INFO ",
            vec!["count=2", "a.docx, b.docx", "Read"],
        ),
        (
            "groups that no run ever sent",
            " WARN ",
            vec!["count=1", "ghosts@example.com"],
        ),
        (
            "not e-mail addresses",
            " WARN ",
            vec!["count=2", "Ann <ann@example.com>, bob"],
        ),
        (
            "sent more than once",
            " WARN ",
            vec!["count=1", "twice (2 times)"],
        ),
    ] {
        let lines = log.with(text);
        assert_eq!(lines.len(), 1, "{text}: {:#?}", log.lines());
        for part in parts.into_iter().chain([level]) {
            assert!(lines[0].contains(part), "`{part}`: {}", lines[0]);
        }
    }
}

/// A report names the first hundred.
#[tokio::test]
async fn losses_beyond_the_first_hundred_are_counted_and_named() {
    let (log, _guard) = Log::of_this_thread(Level::INFO);
    let manager = Manager::start().await;
    let sync = |ctx: SyncContext, _| async move {
        ctx.set_failure_budget(FailureBudget::UNLIMITED);
        for item in 0..150 {
            ctx.item_failed(format!("old {item}"), "its disk is broken", None);
        }
        for item in 0..2 {
            ctx.item_failed(format!("new {item}"), "its readers are secret", None);
        }
        for item in 0..240 {
            let id = format!("{}", item % 120);
            ctx.upsert(Document::new(id, DocumentPermissions::public()))
                .await?;
        }
        Ok(())
    };
    let served = serve(Scripted::new(sync), &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    let ended = Instant::now();
    while log.with("the run completed").is_empty() && ended.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for (text, part) in [
        ("failed: its disk is broken", "count=150 "),
        (
            "failed: its readers are secret",
            "count=2 stage=Read items=\"new 0, new 1\"",
        ),
        ("sent more than once", "count=120 "),
    ] {
        let lines = log.with(text);
        assert_eq!(lines.len(), 1, "{text}: {lines:#?}");
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
}

#[tokio::test]
async fn a_connector_whose_threads_are_all_blocked_says_so() {
    let (log, _guard) = Log::of_this_thread(Level::WARN);
    let manager = Manager::start().await;
    let served = serve(Scripted::new(|_, _| async { Ok(()) }), &manager).await;
    // This runtime has no other thread.
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(served.get("/health").await.0, 200);
    let lines = log.with("all threads of the connector are blocked for 5 s");
    assert_eq!(lines.len(), 1, "{:#?}", log.lines());
    assert!(
        lines[0].contains("tokio::task::spawn_blocking"),
        "{}",
        lines[0]
    );
}

/// Blocks in each line about a failed item until it is released.
struct Stalled {
    begun: mpsc::Sender<()>,
    release: Mutex<mpsc::Receiver<()>>,
}

impl Subscriber for Stalled {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= tracing::Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        let _ = self.begun.send(());
        let release = self.release.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = release.recv_timeout(Duration::from_secs(30));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A full pipe stops each thread that writes to the log.
#[tokio::test]
async fn a_log_that_stalls_stops_no_other_call() {
    let manager = Manager::start().await;
    let sync = |ctx: SyncContext, _| async move {
        let (begun, has_begun) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let stalled = Stalled {
            begun,
            release: Mutex::new(released),
        };
        let failing = ctx.clone();
        let writer = std::thread::spawn(move || {
            tracing::subscriber::with_default(stalled, || {
                failing.item_failed("a.docx", "its disk is broken", None);
            });
        });
        tokio::task::spawn_blocking(move || has_begun.recv_timeout(Duration::from_secs(10)))
            .await?
            .map_err(|_| anyhow::anyhow!("nothing was logged"))?;
        let others = async {
            ctx.upsert(Document::new("other", DocumentPermissions::public()))
                .await?;
            ctx.save_checkpoint("later").await?;
            Ok::<_, anyhow::Error>(ctx.report().scanned)
        };
        let done = tokio::time::timeout(Duration::from_secs(10), others).await;
        release.send(())?;
        tokio::task::spawn_blocking(move || writer.join().is_ok()).await?;
        done.map_err(|_| anyhow::anyhow!("the log stops the run"))??;
        Ok(())
    };
    let served = serve(Scripted::new(sync), &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    assert!(
        manager.calls("/fail").is_empty(),
        "{:?}",
        manager.calls("/fail")
    );
    assert_eq!(manager.documents(), ["other"]);
    let (_, report) = served.get("/sync/R1/report").await;
    let report: RunReport = serde_json::from_value(report).unwrap();
    assert_eq!(report.failures[0].item, "a.docx");
}

/// Has actions that take longer than the process may take to end.
#[connector(name = "sluggish", source_types = [Web])]
struct Sluggish {
    begun: Arc<Notify>,
}

#[connector]
impl Sluggish {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// Takes an hour, and may take a second.
    #[action(write, timeout = 1)]
    async fn move_house(&self) -> Result<()> {
        tokio::time::sleep(Duration::from_hours(1)).await;
        Ok(())
    }

    /// Takes an hour.
    #[action(write)]
    async fn move_town(&self) -> Result<()> {
        self.begun.notify_one();
        tokio::time::sleep(Duration::from_hours(1)).await;
        Ok(())
    }
}

/// Calls an action, then stops the process. Returns the status of the action if it was answered before, the time that
/// the end took, and the log.
async fn stopped_after(action: &'static str) -> (Option<u16>, Duration, Log) {
    let (log, _guard) = Log::of_this_thread(Level::INFO);
    let manager = Manager::start().await;
    let begun = Arc::new(Notify::new());
    let connector = Sluggish {
        begun: Arc::clone(&begun),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let mut config = ServerConfig::loopback(&manager.url);
    config.grace = Duration::from_millis(800);
    let server = tokio::spawn(serve_with_shutdown(connector, config, async {
        let _ = stopped.await;
    }));
    let connector = Served::registered(&manager).await;
    let request = json!({ "action": action }).to_string();
    let calling = tokio::spawn(async move { connector.post("/action", request).await.0 });
    let status = if action == "move_house" {
        calling.await.ok()
    } else {
        begun.notified().await;
        None
    };
    let asked = Instant::now();
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    (status, asked.elapsed(), log)
}

#[tokio::test]
async fn a_shutdown_waits_for_no_action_that_was_answered_with_a_timeout() {
    let (status, took, log) = stopped_after("move_house").await;
    assert_eq!(status, Some(504));
    assert!(took < Duration::from_millis(700), "{took:?}");
    assert!(log.with("in time").is_empty(), "{:#?}", log.lines());
}

#[tokio::test]
async fn a_shutdown_stops_an_action_that_does_not_end_and_names_it() {
    let (_, took, log) = stopped_after("move_town").await;
    // The grace of this server, plus two seconds.
    assert!(took < Duration::from_secs(3), "{took:?}");
    let lines = log.with("an action or a webhook did not end in time");
    assert_eq!(lines.len(), 1, "{:#?}", log.lines());
    assert!(log.with("some runs").is_empty(), "{:#?}", log.lines());
}
