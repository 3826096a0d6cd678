//! The pipeline against a model: any interleaving of emits, checkpoints, dropped futures, pauses and faults of the manager.
//!
//! Each case runs on one thread with tokio's paused clock. Author, pipeline, server and manager take turns, and time
//! moves only when all of them wait. So a case takes milliseconds even with long pauses, and the timers (age of a
//! batch, counters, retries) take part in the interleavings. A simulator of networks (turmoil, madsim) would replace
//! the sockets, whose faults are tested elsewhere over real ones. Loom would check the orderings of one mutex and a few
//! notifications, but not the protocol above them, where the order can be lost.

use std::{
    collections::{BTreeSet, VecDeque},
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use omni_connector::{
    Connector, Document, DocumentPermissions, Group, ServerConfig, ServiceCredential, Source,
    SourceType, SyncContext, SyncType, async_trait, serve_with_shutdown,
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};

/// The author's next step. Emitted items are numbered in the order of the calls.
#[derive(Debug, Clone, Copy)]
enum Step {
    Document,
    /// A document whose text equals that of all others of this kind.
    SameText,
    Delete,
    /// More deletes than one batch holds.
    Deletes,
    Group,
    /// The future of the emit is dropped.
    Dropped,
    Store,
    Save,
    /// A separate task saves, while the author continues.
    SaveAside,
    /// The future is dropped after it was polled once.
    SaveDropped,
    Pause(u16),
    /// A file whose text takes the manager ten minutes.
    Extract,
}

/// The number of events of a step of deletes, more than a batch holds.
const MANY: usize = 600;

/// The manager's reaction to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Fine,
    Slow(u16),
    /// Refuses the call without an effect.
    Refuses(u16),
    /// Performs the call and answers with an error.
    DoesAndFails(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Document),
        2 => Just(Step::SameText),
        3 => Just(Step::Delete),
        1 => Just(Step::Deletes),
        1 => Just(Step::Group),
        2 => Just(Step::Dropped),
        1 => Just(Step::Store),
        1 => Just(Step::Save),
        2 => Just(Step::SaveAside),
        1 => Just(Step::SaveDropped),
        1 => (0..3_000_u16).prop_map(Step::Pause),
    ]
}

fn mood() -> impl Strategy<Value = Mood> {
    let passing = prop::sample::select(vec![408_u16, 429, 500, 502, 503]);
    prop_oneof![
        6 => Just(Mood::Fine),
        2 => (1..2_000_u16).prop_map(Mood::Slow),
        1 => passing.clone().prop_map(Mood::Refuses),
        1 => passing.prop_map(Mood::DoesAndFails),
        // Only for the content of a document; no other call is refused with this status.
        1 => Just(Mood::Refuses(413)),
    ]
}

#[derive(Debug, Default)]
struct Told {
    moods: VecDeque<Mood>,
    /// The numbers of accepted events in order, including repeats.
    events: Vec<usize>,
    /// Whether the answer to an accepted batch was lost.
    may_repeat: bool,
    /// Documents whose content was refused.
    refused: BTreeSet<usize>,
    /// The checkpoints, each with the number of events accepted before it.
    checkpoints: Vec<(usize, usize)>,
    heartbeats: usize,
    completed: bool,
    failed: Option<String>,
    /// The connector's address, from its registration.
    connector: Option<String>,
}

type Manager = Arc<Mutex<Told>>;

fn lock(manager: &Manager) -> MutexGuard<'_, Told> {
    manager.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(manager): State<Manager>, uri: Uri, body: Bytes) -> Response {
    let route = uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    let is_disturbed = matches!(
        route.as_str(),
        "content" | "batch" | "checkpoint" | "complete"
    );
    let mood = if is_disturbed {
        lock(&manager).moods.pop_front().unwrap_or(Mood::Fine)
    } else {
        Mood::Fine
    };
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if route == "extract-content" {
        tokio::time::sleep(Duration::from_mins(10)).await;
    }
    match mood {
        Mood::Slow(millis) => tokio::time::sleep(Duration::from_millis(millis.into())).await,
        Mood::Refuses(413) if number(&body["content"]).is_none() => {}
        Mood::Refuses(status) => {
            if status == 413 {
                lock(&manager).refused.extend(number(&body["content"]));
            }
            let status = StatusCode::from_u16(status).unwrap();
            return (status, Json(json!({ "error": "a mood" }))).into_response();
        }
        Mood::Fine | Mood::DoesAndFails(_) => {}
    }
    let mut told = lock(&manager);
    match route.as_str() {
        "batch" => {
            let events = body["events"].as_array().unwrap();
            let subject = |event: &Value| {
                number(&event["document_id"]).or_else(|| number(&event["group_email"]))
            };
            told.events.extend(events.iter().filter_map(subject));
            told.may_repeat |= matches!(mood, Mood::DoesAndFails(_));
        }
        "checkpoint" => {
            let accepted = told.events.len();
            let saved = usize::try_from(body.as_u64().unwrap()).unwrap();
            told.checkpoints.push((saved, accepted));
        }
        "heartbeat" => told.heartbeats += 1,
        "complete" => told.completed = true,
        "fail" => told.failed = Some(body["error"].to_string()),
        "register" => {
            let url = body["connector_url"].as_str();
            told.connector = url.map(str::to_owned);
        }
        _ => {}
    }
    if let Mood::DoesAndFails(status) = mood {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    match route.as_str() {
        "S1" if uri.path().contains("source") => Json(source()).into_response(),
        "S1" => StatusCode::NOT_FOUND.into_response(),
        "content" | "extract-content" => Json(json!({ "content_id": "C1" })).into_response(),
        _ => Json(json!({ "status": "ok" })).into_response(),
    }
}

fn source() -> Value {
    json!({
        "id": "S1", "name": "model", "source_type": "web", "config": {}, "is_active": true, "is_deleted": false,
        "scope": "org", "user_filter_mode": "all", "user_whitelist": null, "user_blacklist": null,
        "connector_state": null, "checkpoint": null, "sync_interval_seconds": null,
        "created_at": "2026-08-01T09:00:00Z", "updated_at": "2026-08-01T09:00:00Z", "created_by": "U1"
    })
}

/// Returns the number in `n17`, `n17@example.com` or `n17 …`.
fn number(text: &Value) -> Option<usize> {
    let digits = text.as_str()?.strip_prefix('n')?;
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits[..end.unwrap_or(digits.len())].parse().ok()
}

struct Author(Mutex<Vec<Step>>);

impl Author {
    async fn work(&self, ctx: &SyncContext) -> anyhow::Result<usize> {
        let steps = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut saves = JoinSet::new();
        let next = AtomicUsize::new(0);
        let take = || next.fetch_add(1, Ordering::Relaxed);
        let emitted = || next.load(Ordering::Relaxed);
        let document = |n: usize, text: String| {
            ctx.upsert(Document::new(format!("n{n}"), DocumentPermissions::public()).text(text))
        };
        for step in steps {
            match step {
                Step::Document => {
                    let n = take();
                    document(n, format!("n{n} is its own text")).await?;
                }
                Step::SameText => document(take(), "the same text".to_owned()).await?,
                Step::Delete => ctx.delete(format!("n{}", take())).await?,
                Step::Deletes => {
                    for _ in 0..MANY {
                        ctx.delete(format!("n{}", take())).await?;
                    }
                }
                Step::Group => {
                    let group = Group::new(format!("n{}@example.com", take()), ["a@example.com"]);
                    ctx.group(group).await?;
                }
                Step::Dropped => {
                    let n = take();
                    drop(document(n, format!("n{n} is dropped")));
                }
                Step::Store => {
                    // If only this text is refused, the caller handles it.
                    let _ = ctx.store_content("a text without a document").await;
                }
                Step::Save => ctx.save_checkpoint(emitted()).await?,
                Step::SaveAside => {
                    let (ctx, at) = (ctx.clone(), emitted());
                    saves.spawn(async move { ctx.save_checkpoint(at).await });
                    // The task requests its checkpoint before the author continues.
                    tokio::task::yield_now().await;
                }
                Step::SaveDropped => {
                    let save = pin!(ctx.save_checkpoint(emitted()));
                    let _ = save.poll(&mut Context::from_waker(Waker::noop()));
                }
                Step::Extract => {
                    let id = format!("n{}", take());
                    let document = Document::new(id, DocumentPermissions::public());
                    ctx.upsert(document.extract("bytes", "application/pdf", "large.pdf"))
                        .await?;
                }
                Step::Pause(millis) => {
                    tokio::time::sleep(Duration::from_millis(millis.into())).await;
                }
            }
        }
        while let Some(saved) = saves.join_next().await {
            saved??;
        }
        Ok(emitted())
    }
}

#[async_trait]
impl Connector for Author {
    type Config = Value;
    type Credentials = Value;
    type State = Value;

    fn name(&self) -> &'static str {
        "model"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        vec![SyncType::Full, SyncType::Incremental, SyncType::Realtime]
    }

    fn requires_credentials(&self) -> bool {
        false
    }

    async fn sync(
        &self,
        _: Source,
        _: Option<ServiceCredential>,
        _: Option<Value>,
        ctx: SyncContext,
    ) -> anyhow::Result<()> {
        self.work(&ctx).await.map(drop)
    }
}

/// Waits until `look` returns a value. The clock is simulated, and nothing takes as long as the limit of one day.
async fn until<T>(look: impl Fn() -> Option<T>) -> T {
    for _ in 0..24 * 3_600 * 10 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("waited for a day");
}

/// Runs the steps against a manager with these reactions.
async fn run(steps: Vec<Step>, moods: Vec<Mood>, mode: &str) -> Told {
    let manager = Manager::default();
    lock(&manager).moods = moods.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&manager));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let mut config = ServerConfig::loopback(&url);
    config.patience.in_all = Duration::from_hours(1);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve_with_shutdown(Author(steps.into()), config, async {
        let _ = stopped.await;
    }));
    let http = omni_connector::HttpClient::builder()
        .no_proxy()
        .build()
        .unwrap();
    let connector = until(|| lock(&manager).connector.take()).await;
    let request = json!({ "sync_run_id": "R1", "source_id": "S1", "sync_mode": mode });
    let sync = http.post(format!("{connector}/sync"));
    let answer = sync.body(request.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let has_ended = |told: &Told| told.completed || told.failed.is_some();
    until(|| has_ended(&lock(&manager)).then_some(())).await;
    let _ = stop.send(());
    server.await.unwrap().unwrap();
    std::mem::take(&mut *lock(&manager))
}

/// Checks everything that must always hold.
fn check(told: &Told, emitted: usize) -> Result<(), TestCaseError> {
    prop_assert_eq!(&told.failed, &None);
    let mut seen = BTreeSet::new();
    let first: Vec<_> = told.events.iter().filter(|n| seen.insert(**n)).collect();
    prop_assert!(first.is_sorted(), "out of order: {:?}", told.events);
    let lost = (0..emitted).find(|n| !seen.contains(n) && !told.refused.contains(n));
    prop_assert_eq!(lost, None, "lost");
    let repeats = told.events.len() - seen.len();
    prop_assert!(repeats == 0 || told.may_repeat, "doubled without a reason");
    for (saved, accepted) in &told.checkpoints {
        let before: BTreeSet<_> = told.events[..*accepted].iter().collect();
        let overtaken = (0..*saved).find(|n| !before.contains(n) && !told.refused.contains(n));
        prop_assert_eq!(
            overtaken,
            None,
            "a checkpoint of {} overtook an event",
            saved
        );
    }
    let saved: Vec<_> = told.checkpoints.iter().map(|(saved, _)| saved).collect();
    prop_assert!(saved.is_sorted(), "checkpoints out of order: {saved:?}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_run_sends_heartbeats_while_a_text_is_extracted() {
    let told = run(vec![Step::Extract], Vec::new(), "full").await;
    assert_eq!((told.failed, told.events), (None, vec![0]));
    assert!(
        (8..=12).contains(&told.heartbeats),
        "{} heartbeats in ten minutes",
        told.heartbeats
    );
}

/// Returns the number of items that a step emits.
fn emits(step: Step) -> usize {
    match step {
        Step::Document | Step::SameText | Step::Delete | Step::Group | Step::Dropped => 1,
        Step::Deletes => MANY,
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var("OMNI_TEST_FULL").is_ok_and(|full| full == "1") { 5_000 } else { 100 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_checkpoint_is_accepted_only_after_everything_before_it(
        steps in vec(step(), 0..80),
        moods in vec(mood(), 0..60),
        mode in prop::sample::select(vec!["full", "incremental", "realtime"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let emitted = steps.iter().map(|step| emits(*step)).sum();
        // The last checkpoint that was requested and not dropped is saved in the end.
        let told = runtime.block_on(run(steps, moods, mode));
        check(&told, emitted)?;
    }
}
