//! Tests lost, stale and unwanted runs: probed, resumed, failed, cancelled.

use std::{collections::BTreeMap, time::Duration};

use omni_connector::SyncType;
use omni_connector_dev::{
    Options, Storage,
    store::{apply::apply, contents, documents, runs},
};
use rusqlite::Transaction;
use serde_json::json;

use crate::{
    compare::{Ids, differ},
    effects::compare_run,
    exchange::{Entry, events, load},
    fake::{Seen, eventually},
    world::{World, options, run_id, source_id},
};

pub(crate) const TICK: Duration = Duration::from_millis(50);

pub(crate) fn ticking(tick: Duration) -> Options {
    let mut options = options();
    options.runs.tick = Some(tick);
    options
}

/// Returns the number at the end of the first `01K3REC…` or `01K3SRC…` of an entry.
fn number(entry: &Entry, kind: &str) -> Option<u32> {
    let text = entry.request.to_string();
    let start = text.find(kind)? + kind.len();
    text[start..start + 19].parse().ok()
}

/// Groups recorded calls by their case, in order.
fn cases(entries: Vec<Entry>) -> BTreeMap<String, Vec<Entry>> {
    let mut cases: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        let (case, _) = entry.name.split_once(": ").unwrap();
        let case = case
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .trim_end();
        cases.entry(case.to_owned()).or_default().push(entry);
    }
    cases
}

/// Prepares a run as recorded: its source, mode and checkpoints.
async fn prepare(world: &World, run: u32, source: u32, calls: &[Entry]) {
    let resumed = calls.iter().map(|call| &call.request["body"]);
    let resumed = resumed.clone().find(|body| body["is_resume"] == true);
    let effect = &calls.last().unwrap().effect["run_afterwards"];
    let saved = effect.get("checkpoint").cloned();
    let sent = resumed.and_then(|body| body.get("checkpoint")).cloned();
    world.source(source, "github", |_| {}).await;
    // The run's checkpoint takes precedence, even if null.
    let of_source = match &saved {
        Some(_) => Some(json!({ "cursor": "source" })),
        None => sent,
    };
    if let Some(checkpoint) = of_source {
        world.checkpoint(source, checkpoint).await;
    }
    let mode: SyncType = serde_json::from_value(effect["sync_type"].clone()).unwrap();
    if mode == SyncType::Incremental {
        world.run(run + 1000, source, SyncType::Full).await;
        let complete = move |db: &Transaction<'_>| {
            db.execute(
                "UPDATE sync_runs SET status = 'completed', completed_at = started_at WHERE id = ?1",
                [run_id(run + 1000)],
            )?;
            Ok(())
        };
        world.write(complete).await;
    }
    world.run(run, source, mode).await;
    if let Some(checkpoint) = saved {
        world
            .write(move |db| runs::save_checkpoint(db, &run_id(run), &checkpoint))
            .await;
    }
}

async fn find_run(world: &World, run: u32) -> runs::Run {
    let found = world.write(move |db| runs::find(db, &run_id(run))).await;
    found.unwrap_or_else(|| panic!("run {run} is gone"))
}

#[tokio::test]
async fn lost_runs_are_resumed_up_to_three_times() {
    let folder = tempfile::tempdir().unwrap();
    let kept = |mut options: Options| {
        options.storage = Storage::Folder(folder.path().to_owned());
        options.runs.concurrent = 1000;
        options.runs.concurrent_per_class = 1000;
        options
    };
    let mut world = World::start(kept(options())).await;
    let entries = load("probe-resume", &world.wire);
    let (asked, calls): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|entry| !entry.is_call_of_the_manager());
    let calls = calls
        .into_iter()
        .filter(|entry| !entry.name.contains(" > "))
        .collect();
    let cases = cases(calls);
    let mut scripts = BTreeMap::new();
    for (index, (case, calls)) in cases.iter().enumerate() {
        let run = number(&calls[0], "01K3REC").unwrap();
        let source = calls.iter().find_map(|call| number(call, "01K3SRC"));
        let source = source.unwrap_or(900 + u32::try_from(index).unwrap());
        prepare(&world, run, source, calls).await;
        let mut script = calls.clone();
        if calls[0].note.contains("three times") {
            script = [calls.as_slice(); 3].concat();
            script.push(calls[0].clone());
        }
        world.wire.script_run(&run_id(run), script.clone());
        scripts.insert(case.clone(), (run, script));
    }
    world.source(130, "imap", |_| {}).await;
    world.run(131, 130, SyncType::Full).await;
    world.register(json!({})).await;
    world.wire.script(&[]);

    world.restart(kept(ticking(TICK))).await;
    let probed_before_listening = world.wire.seen();
    for (case, (run, _)) in &scripts {
        let path = format!("/sync/{}", run_id(*run));
        let is_probed = probed_before_listening.iter().any(|seen| seen.path == path);
        assert!(is_probed, "{case}: not probed at the start");
    }

    let mut faults = Vec::new();
    for (case, (run, script)) in &scripts {
        eventually(case, async || world.wire.left_of_run(&run_id(*run)) == 0).await;
        let expected = script
            .iter()
            .rev()
            .chain(&cases[case])
            .find_map(|call| call.effect.get("run_afterwards"))
            .unwrap();
        eventually(case, async || {
            compare_run(&world, &find_run(&world, *run).await, expected)
                .await
                .is_ok()
        })
        .await;
        let seen = world.wire.seen();
        let about: Vec<_> = seen
            .iter()
            .filter(|seen| seen.run() == Some(run_id(*run)))
            .collect();
        for (index, call) in script.iter().enumerate() {
            let is_same = about.get(index).is_some_and(|seen| is_call(call, seen));
            if !is_same {
                faults.push(format!("{case}: call {index} is {:?}", about.get(index)));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    println!("probe-resume: {} cases, 0 deviate", cases.len());

    // The only case without a connector is checked through the API.
    let [asked] = asked.as_slice() else {
        panic!("one exchange was asked for");
    };
    eventually("giving up without a connector", async || {
        find_run(&world, 131).await.status == runs::RunStatus::Failed
    })
    .await;
    let url = format!("{}{}", world.manager().url(), asked.path());
    let stream = world
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let expected = events(asked.response["body"].as_str().unwrap());
    let difference = differ(&expected, &events(&stream), &mut Ids::default());
    assert_eq!(difference, None);
    compare_run(&world, &find_run(&world, 131).await, &asked.effect["run"])
        .await
        .unwrap();
}

fn is_call(call: &Entry, seen: &Seen) -> bool {
    let expected = &call.request["body"];
    call.method() == seen.method
        && call.path() == seen.path
        && (expected.is_null() || differ(expected, &seen.json(), &mut Ids::default()).is_none())
}

#[tokio::test]
async fn stale_runs_and_runs_of_inactive_sources_are_ended() {
    let folder = tempfile::tempdir().unwrap();
    let kept = |mut options: Options| {
        options.storage = Storage::Folder(folder.path().to_owned());
        options
    };
    let mut world = World::start(kept(options())).await;
    let entries = load("probe-resume", &world.wire);
    let calls: Vec<_> = entries
        .into_iter()
        .filter(|entry| entry.name.contains(" > "))
        .collect();
    for call in &calls {
        let run = number(call, "01K3REC").unwrap();
        let name = call.name.clone();
        let off = |source: &mut omni_connector_dev::store::sources::SourceRecord| {
            source.is_active = !name.starts_with("source deactivated");
            source.is_deleted = name.starts_with("source deleted");
        };
        world.source(run, "github", off).await;
        let mode = &call.effect["run_afterwards"]["sync_type"];
        world
            .run(run, run, serde_json::from_value(mode.clone()).unwrap())
            .await;
        world.wire.script_run(&run_id(run), vec![call.clone()]);
        if call.name.starts_with("stale") {
            let forget = move |db: &Transaction<'_>| {
                let sql = "UPDATE sync_runs SET last_activity_at = 0 WHERE id = ?1";
                db.execute(sql, [run_id(run)])?;
                Ok(())
            };
            world.write(forget).await;
        }
    }
    // A deleted source with documents survives one more tick.
    let document = |db: &Transaction<'_>| {
        let event = json!({
            "type": "document_created", "sync_run_id": run_id(135), "source_id": source_id(135), "document_id": "d",
            "content_id": contents::put(db, "", "text")?, "metadata": {},
            "permissions": { "public": true, "users": [], "groups": [] },
        });
        let event = serde_json::from_value(event).unwrap();
        apply(db, &run_id(135), &source_id(135), &[event])
    };
    world.write(document).await;
    world.register(json!({})).await;

    world.restart(kept(ticking(Duration::from_hours(1)))).await;
    for call in &calls {
        let run = number(call, "01K3REC").unwrap();
        eventually(&call.name, async || {
            world.wire.left_of_run(&run_id(run)) == 0
        })
        .await;
        eventually(&call.name, async || {
            !find_run(&world, run).await.is_running()
        })
        .await;
        let ended = find_run(&world, run).await;
        compare_run(&world, &ended, &call.effect["run_afterwards"])
            .await
            .unwrap_or_else(|fault| panic!("{}: {fault}", call.name));
    }

    // The next tick removes the source and its remaining data.
    eventually("removal of its documents", async || {
        world.write(|db| documents::count(db, None)).await == 0
    })
    .await;
    world.restart(kept(ticking(Duration::from_hours(1)))).await;
    eventually("removal of the deleted source", async || {
        world.find_source(&source_id(135)).await.is_none()
    })
    .await;
}

#[tokio::test]
async fn a_run_with_an_absent_connector_has_one_tick_of_grace() {
    for (looks, lives) in [(1, true), (2, false)] {
        let folder = tempfile::tempdir().unwrap();
        let kept = |mut options: Options| {
            options.storage = Storage::Folder(folder.path().to_owned());
            options.runs.resumes = 0;
            // The first tick is immediate, and no second one follows.
            options.runs.probe_at_start = looks == 2;
            options
        };
        let mut world = World::start(kept(options())).await;
        world.source(130, "imap", |_| {}).await;
        world.run(131, 130, SyncType::Full).await;
        world.source(131, "imap", |_| {}).await;
        world.run(132, 131, SyncType::Full).await;
        let forget = |db: &Transaction<'_>| {
            let sql = "UPDATE sync_runs SET last_activity_at = 0 WHERE id = ?1";
            db.execute(sql, [run_id(132)])?;
            Ok(())
        };
        world.write(forget).await;

        world.restart(kept(ticking(Duration::from_hours(1)))).await;
        // Stale runs are failed after all were probed.
        eventually("a tick", async || !find_run(&world, 132).await.is_running()).await;
        assert_eq!(
            find_run(&world, 131).await.is_running(),
            lives,
            "{looks} looks"
        );
    }
}
