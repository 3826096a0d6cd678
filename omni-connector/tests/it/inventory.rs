//! Tests inventories against a model, with changes at the source, failures at every stage, kills and resumes in any
//! order. After one complete walk, Omni has exactly the items of the source.
//!
//! A kill happens at a call: afterwards the manager ignores the process, as if it were gone. The call itself takes
//! effect, or not. Each case runs on one thread with a paused clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    Checkpoint, Connector, Document, DocumentPermissions, FailureBudget, Inventory, Partition,
    Partitions, ServerConfig, ServiceCredential, Source, SourceType, SyncContext, SyncType, Walk,
    Walked, Watermark, async_trait, serve_with_shutdown,
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

use crate::support;

/// The number of items that the source can have.
const ITEMS: u8 = 24;
/// The number of partitions that the source can have.
const PARTS: u8 = 3;
/// The number of items on a page.
const PAGE: usize = 5;

/// A change of the source.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// The item is added, or edited.
    Put(u8),
    Remove(u8),
}

/// One process, from its sync request to its end.
#[derive(Debug, Clone)]
struct Process {
    mode: &'static str,
    /// The call after which the process is killed, and whether that call takes effect.
    killed_at: Option<(u8, bool)>,
    /// Changes of the source, each with the page before which it happens.
    changes: Vec<(u8, Change)>,
    /// Items whose content is refused, whose event is refused, and that cannot be read.
    refused: BTreeSet<u8>,
    malformed: BTreeSet<u8>,
    unreadable: BTreeSet<u8>,
    /// Items whose file is refused because of its content.
    refused_files: BTreeSet<u8>,
    /// Partitions that fail after a page, unless all others fail.
    broken: BTreeSet<u8>,
    /// Whether the author saves at every page, and whether a resumed author continues from the last page.
    saves: bool,
    goes_on: bool,
}

fn change() -> impl Strategy<Value = Change> {
    let item = 0..ITEMS;
    prop_oneof![3 => item.clone().prop_map(Change::Put), 2 => item.prop_map(Change::Remove)]
}

fn some_items() -> impl Strategy<Value = BTreeSet<u8>> {
    prop_oneof![3 => Just(BTreeSet::new()), 1 => prop::collection::btree_set(0..ITEMS, 0..4)]
}

fn process() -> impl Strategy<Value = Process> {
    (
        select(vec!["full", "incremental"]),
        prop::option::weighted(0.6, (0..30_u8, any::<bool>())),
        vec((0..6_u8, change()), 0..8),
        [some_items(), some_items(), some_items(), some_items()],
        prop::collection::btree_set(0..PARTS, 0..3),
        (any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |(mode, killed_at, changes, items, broken, (saves, goes_on))| {
                let [refused, malformed, unreadable, refused_files] = items;
                Process {
                    mode,
                    killed_at,
                    changes,
                    refused,
                    malformed,
                    unreadable,
                    refused_files,
                    broken,
                    saves,
                    goes_on,
                }
            },
        )
}

/// Makes a process without failures.
fn undisturbed(mode: &'static str) -> Process {
    Process {
        mode,
        killed_at: None,
        changes: Vec::new(),
        refused: BTreeSet::new(),
        malformed: BTreeSet::new(),
        unreadable: BTreeSet::new(),
        refused_files: BTreeSet::new(),
        broken: BTreeSet::new(),
        saves: true,
        goes_on: false,
    }
}

#[derive(Debug, Default)]
struct World {
    /// Items and their versions.
    source: BTreeMap<u8, u64>,
    versions: u64,
    /// Whether the author works on partitions.
    in_parts: bool,
    /// Documents in Omni, with the version that was sent.
    omni: BTreeMap<String, String>,
    contents: Vec<String>,
    published: Value,
    notes: Value,
    checkpoint: Option<Value>,
    process: Option<Process>,
    number: usize,
    calls: u8,
    is_dead: bool,
    has_ended: bool,
    connector: Option<String>,
    report: Option<Value>,
}

type Shared = Arc<Mutex<World>>;

fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Put(item) => {
                self.versions += 1;
                self.source.insert(item, self.versions);
            }
            Change::Remove(item) => {
                self.source.remove(&item);
            }
        }
    }

    /// Returns the items after a given one, and applies the changes before this page.
    fn page(&mut self, number: u8, after: Option<u8>, part: Option<u8>) -> Vec<(u8, u64)> {
        let mut process = self.process.clone().unwrap();
        process.changes.retain(|(at, change)| {
            let is_now = *at == number;
            if is_now {
                self.apply(*change);
            }
            !is_now
        });
        self.process = Some(process);
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let items = self.source.range((after, Bound::Unbounded));
        let items = items.filter(|(item, _)| part.is_none_or(|part| *item % PARTS == part));
        items.take(PAGE).map(|(item, at)| (*item, *at)).collect()
    }
}

fn id(item: u8) -> String {
    format!("items/{item:02}")
}

/// Returns the file of an item. Every second item has one.
fn file_of(item: u8) -> Option<String> {
    item.is_multiple_of(2).then(|| format!("{}/file", id(item)))
}

fn item_of(id: &str) -> u8 {
    id.split('/').nth(1).unwrap().parse().unwrap()
}

async fn answer(State(world): State<Shared>, uri: Uri, body: Bytes) -> Response {
    let mut world = lock(&world);
    let path = uri.path().to_owned();
    let is_current = path.starts_with(&format!("/{}/", world.number));
    let route = path.rsplit('/').next().unwrap_or_default();
    let gone = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    if !is_current || world.is_dead {
        return gone;
    }
    let is_counted = matches!(
        route,
        "batch" | "checkpoint" | "content" | "complete" | "fail" | "connector-state"
    );
    if is_counted
        && let Some((at, is_heard)) = world.process.as_ref().and_then(|process| process.killed_at)
    {
        if world.calls == at {
            world.is_dead = true;
            if !is_heard {
                return gone;
            }
        }
        world.calls += 1;
    }
    let answer = world.take(
        route,
        &path,
        serde_json::from_slice(&body).unwrap_or_default(),
    );
    if world.is_dead { gone } else { answer }
}

impl World {
    fn take(&mut self, route: &str, path: &str, body: Value) -> Response {
        let process = self.process.clone();
        match route {
            "content" => {
                let text = body["content"].as_str().unwrap().to_owned();
                let id = text.split(' ').next().unwrap();
                let item = item_of(id);
                let is_refused = process.is_some_and(|process| {
                    let is_file = id.ends_with("/file");
                    let refused = if is_file {
                        process.refused_files
                    } else {
                        process.refused
                    };
                    refused.contains(&item)
                });
                if is_refused {
                    return (StatusCode::BAD_REQUEST, Json(json!({ "error": "no" })))
                        .into_response();
                }
                self.contents.push(text);
                let id = format!("C{}", self.contents.len() - 1);
                return Json(json!({ "content_id": id })).into_response();
            }
            "batch" => {
                let events = body["events"].as_array().unwrap();
                let malformed = process.map(|process| process.malformed).unwrap_or_default();
                let is_malformed = |event: &Value| {
                    event["type"] == "document_created"
                        && malformed.contains(&item_of(event["document_id"].as_str().unwrap()))
                };
                if events.iter().any(is_malformed) {
                    return (StatusCode::UNPROCESSABLE_ENTITY, "malformed").into_response();
                }
                for event in events {
                    let id = event["document_id"].as_str().unwrap().to_owned();
                    if event["type"] == "document_deleted" {
                        self.omni.remove(&id);
                    } else {
                        let content = event["content_id"].as_str().unwrap()[1..].parse::<usize>();
                        self.omni
                            .insert(id, self.contents[content.unwrap()].clone());
                    }
                }
            }
            "checkpoint" => self.checkpoint = Some(body),
            "connector-state" => self.notes = body,
            "complete" => {
                self.published = self.checkpoint.clone().unwrap_or_default();
                self.has_ended = true;
            }
            "fail" => self.has_ended = true,
            "register" => {
                self.connector = body["connector_url"].as_str().map(str::to_owned);
            }
            "S1" if path.contains("source") => {
                return Json(json!({
                    "id": "S1", "name": "model", "source_type": "web", "config": {}, "is_active": true,
                    "is_deleted": false, "scope": "org", "user_filter_mode": "all", "user_whitelist": null,
                    "user_blacklist": null, "connector_state": self.notes, "checkpoint": self.published,
                    "sync_interval_seconds": null, "created_at": "2026-08-01T09:00:00Z",
                    "updated_at": "2026-08-01T09:00:00Z", "created_by": "U1"
                }))
                .into_response();
            }
            "S1" => return StatusCode::NOT_FOUND.into_response(),
            _ => {}
        }
        Json(json!({ "status": "ok" })).into_response()
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    items: Inventory<u64>,
    /// A field of the author.
    pages: u64,
    #[serde(default)]
    parts: Partitions<u8, OfPart>,
}

#[derive(Default, Serialize, Deserialize)]
struct OfPart {
    items: Inventory<u64>,
    pages: u64,
}

/// The state that the author saves at a page.
enum Saving<'a> {
    Whole(&'a mut Checkpoint<Cursor>),
    Part(&'a mut Partition<u8, OfPart>),
}

impl Saving<'_> {
    async fn page(&mut self, saves: bool) -> anyhow::Result<()> {
        match self {
            Self::Whole(checkpoint) => {
                checkpoint.pages += 1;
                if saves {
                    checkpoint.save().await?;
                }
            }
            Self::Part(part) => {
                part.pages += 1;
                if saves {
                    part.save()?;
                }
            }
        }
        Ok(())
    }
}

/// Walks over the source, or a partition of it.
async fn walk_items(
    world: &Shared,
    process: &Process,
    mut walk: Walk<u64>,
    mut saving: Saving<'_>,
    part: Option<u8>,
    fails: bool,
) -> anyhow::Result<()> {
    let mut after: Option<u8> = process.goes_on.then(|| walk.resume_point()).flatten();
    for number in 0_u8.. {
        let page = lock(world).page(number, after, part);
        let Some((last, _)) = page.last().copied() else {
            break;
        };
        for (item, version) in page {
            if walk.is_current(&id(item), &version) {
                continue;
            }
            if process.unreadable.contains(&item) {
                walk.failed(&id(item), "cannot be read", None);
                continue;
            }
            let document = Document::new(id(item), DocumentPermissions::public());
            let file = file_of(item).map(|file| {
                let text = format!("{file} version {version}");
                document.child(file).text(text)
            });
            let text = format!("{} version {version}", id(item));
            walk.upsert(document.text(text), &version).await?;
            if let Some(file) = file {
                walk.upsert(file, &version).await?;
            }
        }
        after = Some(last);
        if process.goes_on {
            walk.reached(last);
        }
        saving.page(process.saves).await?;
        anyhow::ensure!(!fails, "the partition answers 503");
    }
    walk.finish(Walked::declared("the last page was empty"))
        .await?;
    Ok(())
}

struct Author(Shared);

#[async_trait]
impl Connector for Author {
    type Config = Value;
    type Credentials = Value;
    type State = Cursor;

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
        vec![SyncType::Full, SyncType::Incremental]
    }

    async fn sync(
        &self,
        _: Source,
        _: Option<ServiceCredential>,
        state: Option<Cursor>,
        ctx: SyncContext,
    ) -> anyhow::Result<()> {
        ctx.set_failure_budget(FailureBudget::UNLIMITED);
        let process = lock(&self.0).process.clone().unwrap();
        let mut checkpoint = Checkpoint::new(state, &ctx)?;
        let parts: BTreeSet<u8> = {
            let world = lock(&self.0);
            let parts = world.source.keys().map(|item| item % PARTS);
            parts.filter(|_| world.in_parts).collect()
        };
        if !lock(&self.0).in_parts {
            let walk = checkpoint.items.walk(&ctx);
            let saving = Saving::Whole(&mut checkpoint);
            return walk_items(&self.0, &process, walk, saving, None, false).await;
        }
        // A run in which every partition fails is a failed run. It publishes nothing.
        let some_work = parts.iter().any(|part| !process.broken.contains(part));
        let (world, process) = (&self.0, &process);
        let listed = parts.into_iter().map(|part| (part, part));
        let whole = Walked::declared("the source knows its partitions");
        let each = ctx.each(&checkpoint.parts, listed).at_once(2).whole(whole);
        each.run(|key, mut part| async move {
            let walk = part.items.walk(part.ctx());
            let fails = some_work && process.broken.contains(&key);
            let saving = Saving::Part(&mut part);
            walk_items(world, process, walk, saving, Some(key), fails).await
        })
        .await?;
        Ok(())
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

/// Runs a process to its end. Returns whether the run ended as well.
async fn run(world: &Shared, base: &str, process: Process, is_resume: bool) -> bool {
    let number = {
        let mut world = lock(world);
        world.number += 1;
        (world.calls, world.is_dead, world.has_ended) = (0, false, false);
        world.connector = None;
        if !is_resume {
            world.checkpoint = None;
        }
        world.process = Some(process.clone());
        world.number
    };
    let mut config = ServerConfig::loopback(format!("{base}/{number}"));
    config.patience.in_all = Duration::from_secs(20);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve_with_shutdown(Author(world.clone()), config, async {
        let _ = stopped.await;
    }));
    let http = omni_connector::HttpClient::builder()
        .no_proxy()
        .build()
        .unwrap();
    let connector = until(|| lock(world).connector.clone()).await;
    let mut request = json!({ "sync_run_id": "R1", "source_id": "S1", "sync_mode": process.mode, "is_resume": is_resume });
    {
        let world = lock(world);
        let checkpoint = world.checkpoint.clone().filter(|_| is_resume);
        let checkpoint = checkpoint.unwrap_or(world.published.clone());
        if !checkpoint.is_null() {
            request["checkpoint"] = checkpoint;
        }
    }
    let sync = http.post(format!("{connector}/sync"));
    let answer = sync.body(request.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.text().await);
    let is_over = |world: &World| world.has_ended || world.is_dead;
    until(|| is_over(&lock(world)).then_some(())).await;
    let report = http.get(format!("{connector}/sync/R1/report")).send().await;
    let report: Value = report.unwrap().json().await.unwrap_or_default();
    let _ = stop.send(());
    let _ = server.await.unwrap();
    let mut world = lock(world);
    world.report = Some(report);
    world.has_ended && !world.is_dead
}

/// Runs processes one after the other, and finally one without failures.
async fn play(processes: Vec<Process>, last: &'static str, in_parts: bool) -> (Shared, Value) {
    let world = Shared::default();
    lock(&world).in_parts = in_parts;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(world.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    for item in 0..ITEMS / 2 {
        lock(&world).apply(Change::Put(item));
    }
    for process in processes {
        let mut next = Some(process);
        let mut is_resume = false;
        while let Some(process) = next.take() {
            let has_ended = run(&world, &base, process.clone(), is_resume).await;
            if !has_ended {
                is_resume = true;
                // It is not killed again, and the source has changed meanwhile.
                next = Some(Process {
                    killed_at: None,
                    ..lock(&world).process.clone().unwrap()
                });
            }
        }
    }
    run(&world, &base, undisturbed(last), false).await;
    let report = lock(&world).report.take().unwrap();
    (world, report)
}

fn play_now(processes: Vec<Process>, last: &'static str) -> (Shared, Value) {
    play_in(processes, last, false)
}

fn play_in(processes: Vec<Process>, last: &'static str, in_parts: bool) -> (Shared, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(play(processes, last, in_parts))
}

fn expected(world: &World) -> BTreeMap<String, String> {
    let source = world.source.iter();
    let of_item = |(item, version): (&u8, &u64)| {
        let ids = [Some(id(*item)), file_of(*item)];
        let version = *version;
        let text = move |id: String| (id.clone(), format!("{id} version {version}"));
        ids.into_iter().flatten().map(text)
    };
    source.flat_map(of_item).collect()
}

fn assert_same(world: &Shared, case: &str) {
    let world = lock(world);
    assert_eq!(world.omni, expected(&world), "{case}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var("OMNI_TEST_FULL").is_ok_and(|full| full == "1") { 5_000 } else { 100 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn after_one_complete_walk_omni_has_exactly_the_items_of_the_source(
        processes in vec(process(), 1..4),
        last in select(vec!["full", "incremental"]),
        in_parts in any::<bool>(),
    ) {
        let (world, report) = play_in(processes, last, in_parts);
        let world = lock(&world);
        // When half of the source is gone, deletes are held back on purpose.
        prop_assume!(report["held_back"] == 0);
        prop_assert_eq!(&world.omni, &expected(&world));
        prop_assert_eq!(&report["failed"], 0);
    }
}

#[test]
fn an_item_that_failed_is_tried_again_and_reported_until_it_arrives() {
    let failing = |mode| Process {
        refused: BTreeSet::from([1]),
        malformed: BTreeSet::from([2]),
        unreadable: BTreeSet::from([3]),
        ..undisturbed(mode)
    };
    for mode in ["full", "incremental"] {
        let (world, report) = play_now(vec![failing("full")], mode);
        assert_same(&world, mode);
        assert_eq!(report["failed"], 0);
        let (world, _) = play_now(vec![failing("full"), failing(mode)], mode);
        assert_same(&world, mode);
    }
}

/// The resumed author continues behind the items that failed.
#[test]
fn the_report_of_a_resumed_run_names_what_failed_before() {
    let mut resumed = 0;
    for at in 0..24 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let (was_killed, report) = runtime.block_on(async {
            let world = Shared::default();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let base = format!("http://{}", listener.local_addr().unwrap());
            let router = Router::new().fallback(answer).with_state(world.clone());
            tokio::spawn(async move { axum::serve(listener, router).await });
            for item in 0..ITEMS {
                lock(&world).apply(Change::Put(item));
            }
            let failing = Process {
                refused: BTreeSet::from([1]),
                unreadable: BTreeSet::from([3]),
                killed_at: Some((at, true)),
                saves: true,
                goes_on: true,
                ..undisturbed("full")
            };
            let was_killed = !run(&world, &base, failing.clone(), false).await;
            let spared = Process {
                killed_at: None,
                ..failing
            };
            if was_killed {
                assert!(run(&world, &base, spared, true).await, "{at}");
            }
            let report = lock(&world).report.take().unwrap();
            (was_killed, report)
        });
        resumed += u32::from(was_killed);
        let failures = report["failures"].as_array().unwrap();
        let mut items: Vec<_> = failures
            .iter()
            .map(|failure| failure["item"].clone())
            .collect();
        items.sort_by_key(ToString::to_string);
        assert_eq!(
            items,
            [json!(id(1)), json!(id(3))],
            "killed at call {at}: {report}"
        );
        assert_eq!(report["failed"], 2, "killed at call {at}");
    }
    assert!(resumed > 5, "{resumed}");
}

#[test]
fn a_document_that_was_accepted_by_a_killed_process_and_is_gone_since_is_deleted() {
    for at in 0..24 {
        for is_heard in [false, true] {
            let killed = Process {
                killed_at: Some((at, is_heard)),
                // They are gone when the process is resumed.
                changes: (0..4).map(|item| (0, Change::Remove(item))).collect(),
                saves: at % 2 == 0,
                ..undisturbed("full")
            };
            let (world, report) = play_now(vec![killed], "incremental");
            assert_eq!(report["held_back"], 0);
            assert_same(&world, &format!("killed at call {at}, heard: {is_heard}"));
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Since {
    #[serde(default)]
    since: Watermark<u64>,
}

/// Sends the changes since its watermark, and moves the watermark to 7.
struct Follower;

#[async_trait]
impl Connector for Follower {
    type Config = Value;
    type Credentials = Value;
    type State = Since;

    fn name(&self) -> &'static str {
        "follower"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        vec![SyncType::Full, SyncType::Incremental]
    }

    async fn sync(
        &self,
        _: Source,
        _: Option<ServiceCredential>,
        state: Option<Since>,
        ctx: SyncContext,
    ) -> anyhow::Result<()> {
        let checkpoint = Checkpoint::new(state, &ctx)?;
        let since = checkpoint.since.get();
        let next = checkpoint.since.take(&ctx, 7_u64);
        for id in ["one", "two"] {
            let document = Document::new(id, DocumentPermissions::public());
            ctx.upsert(document.text(format!("{id} since {since:?}")))
                .await?;
        }
        next.commit();
        // Pending items do not count as accepted yet.
        assert_eq!(checkpoint.since.get(), since);
        Ok(())
    }
}

#[tokio::test]
async fn a_watermark_waits_for_acceptance_and_stays_after_a_failure() {
    for (poison, expected) in [(None, json!(7)), (Some("two"), json!(3))] {
        let manager = support::Manager::start().await;
        manager.change_source("checkpoint", json!({ "since": 3 }));
        if let Some(id) = poison {
            manager.poison(id);
        }
        let served = support::serve(Follower, &manager).await;
        served.start("R1", "incremental").await;
        served.ended("R1").await;
        let saves = manager.calls("checkpoint");
        let last = saves
            .last()
            .map_or(json!(3), |save| save.body["since"].clone());
        assert_eq!(last, expected, "{poison:?}");
    }
}

#[tokio::test]
async fn a_full_run_begins_without_a_watermark() {
    let manager = support::Manager::start().await;
    manager.change_source("checkpoint", json!({ "since": 3 }));
    let served = support::serve(Follower, &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    let contents = manager.calls("/sdk/content");
    assert_eq!(contents[0].body["content"], "one since None");
}

#[test]
fn older_formats_are_read_and_damaged_ones_are_refused() {
    let known = |saved: Value| serde_json::from_value::<Inventory<u64>>(saved);
    let list = known(json!(["a", "b/c", "a"])).unwrap();
    assert_eq!((list.len(), list.contains("b/c")), (2, true));
    let map = known(json!({ "a": 1, "b/c": null })).unwrap();
    assert_eq!(map.len(), 2);
    let again = known(serde_json::to_value(&map).unwrap()).unwrap();
    assert!(again.contains("a") && again.contains("b/c"));
    assert!(known(json!({ "inventory": 1, "ids": ["AAAA"] })).is_err());
    assert!(known(json!({ "inventory": 2, "ids": [] })).is_err());
    assert!(known(json!(7)).is_err());
}

#[test]
fn a_million_ids_of_sixty_characters_with_versions_take_at_most_sixteen_megabytes() {
    // A tenth of the million ids, to save time.
    let ids = (0..100_000_u64).map(|n| {
        let id = format!(
            "workspaces/customer-portal/project-{:05}/document-{:07}.md",
            n / 40,
            n * 97
        );
        assert_eq!(id.len(), 60);
        (id, Some((1_726_000_000_123_456_789 + n * 7_919_777, n)))
    });
    let inventory: Inventory<(u64, u64)> = ids.collect();
    let saved = serde_json::to_string(&inventory).unwrap().len();
    assert!(saved * 10 <= 16 << 20, "{saved} bytes");
}
