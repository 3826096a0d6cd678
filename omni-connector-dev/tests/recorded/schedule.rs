//! Tests runs that the scheduler starts, on time and repeatedly.

use omni_connector_dev::store::runs;
use serde_json::{Value, json};

use crate::{
    compare::differ,
    effects::compare_run,
    exchange::{Entry, load},
    fake::{Seen, eventually},
    losses::{TICK, ticking},
    world::{World, source_id},
};

/// Waits until the source has another run, and returns its `POST /sync`.
async fn started(world: &World, source: u32, before: usize) -> Seen {
    let about = || {
        let seen = world.wire.seen().into_iter();
        seen.filter(|seen| {
            seen.path == "/sync" && seen.json()["source_id"] == source_id(source).as_str()
        })
        .collect::<Vec<_>>()
    };
    eventually("a run that is started on time", async || {
        about().len() > before
    })
    .await;
    about().swap_remove(before)
}

fn starts(world: &World, source: u32) -> usize {
    let seen = world.wire.seen().into_iter();
    seen.filter(|seen| {
        seen.path == "/sync" && seen.json()["source_id"] == source_id(source).as_str()
    })
    .count()
}

/// Finds the run of a recorded call and waits until it has the recorded state.
async fn compare_started(world: &mut World, recorded: &Entry, seen: &Seen) {
    let difference = differ(&recorded.request["body"], &seen.json(), &mut world.ids);
    assert_eq!(difference, None, "{}", recorded.name);
    let id = seen.run().unwrap();
    eventually(&recorded.name, async || {
        let id = id.clone();
        let run = world.write(move |db| runs::find(db, &id)).await.unwrap();
        compare_run(world, &run, &recorded.effect["run"])
            .await
            .is_ok()
    })
    .await;
}

fn recorded<'a>(entries: &'a [Entry], name: &str) -> &'a Entry {
    entries.iter().find(|entry| entry.name == name).unwrap()
}

#[tokio::test]
async fn scheduled_runs_start_when_they_are_due() {
    let mut world = World::start(ticking(TICK)).await;
    let entries = load("scheduled-realtime", &world.wire);
    world.register(json!({})).await;
    world
        .source(140, "github", |source| {
            source.sync_interval_seconds = Some(1);
        })
        .await;
    world.checkpoint(140, json!({ "c": 0 })).await;

    let first = started(&world, 140, 0).await;
    compare_started(
        &mut world,
        recorded(&entries, "scheduled, nothing completed yet"),
        &first,
    )
    .await;
    world.complete(138, Some(json!({ "c": 1 }))).await;

    let name = "scheduled, next one after the interval";
    let next = started(&world, 140, 1).await;
    compare_started(&mut world, recorded(&entries, name), &next).await;

    for (before, modes, name) in [
        (
            2,
            json!(["full"]),
            "scheduled, connector declares full only",
        ),
        (3, json!([]), "scheduled, connector declares no mode"),
    ] {
        world.register(json!({ "sync_modes": modes })).await;
        world
            .complete(137 + u32::try_from(before).unwrap(), None)
            .await;
        let next = started(&world, 140, before).await;
        compare_started(&mut world, recorded(&entries, name), &next).await;
    }

    let refused = recorded(&entries, "scheduled, refused");
    world.complete(141, None).await;
    world.wire.script(std::slice::from_ref(refused));
    let next = started(&world, 140, 0).await;
    compare_started(&mut world, refused, &next).await;
    tokio::time::sleep(TICK * 20).await;
    assert_eq!(starts(&world, 140), 1, "repeated within the backoff");
}

#[tokio::test]
async fn realtime_runs_are_kept_alive() {
    for (source, name) in [
        (141, "realtime supervision"),
        (142, "realtime supervision, answered 404"),
        (143, "realtime supervision, answered 500"),
    ] {
        let mut world = World::start(ticking(TICK)).await;
        let entries = load("scheduled-realtime", &world.wire);
        let recorded_call = recorded(&entries, name);
        world.wire.script(std::slice::from_ref(recorded_call));
        world.source(source, "github", |_| {}).await;
        if let Some(checkpoint) = recorded_call.request["body"].get("checkpoint") {
            world.checkpoint(source, checkpoint.clone()).await;
        }
        world.register(json!({ "sync_modes": ["realtime"] })).await;
        let first = started(&world, source, 0).await;
        compare_started(&mut world, recorded_call, &first).await;

        if source == 143 {
            // Only "not available" stops further attempts; other refusals are retried at every
            // tick.
            started(&world, source, 2).await;
            continue;
        }
        tokio::time::sleep(TICK * 20).await;
        assert_eq!(starts(&world, source), 1, "{name}: started again");
        if source == 141 {
            world.complete(143, None).await;
            let name = "realtime supervision, run completed";
            let next = started(&world, source, 1).await;
            compare_started(&mut world, recorded(&entries, name), &next).await;
        }
    }
}

/// A failed start is remembered in memory only: an absent connector is not called at every tick.
#[tokio::test]
async fn a_start_that_fails_before_its_dispatch_waits() {
    let world = World::start(ticking(TICK)).await;
    world
        .source(140, "github", |source| {
            source.sync_interval_seconds = Some(1);
        })
        .await;
    tokio::time::sleep(TICK * 6).await;
    world.register(json!({})).await;
    tokio::time::sleep(TICK * 10).await;
    assert_eq!(starts(&world, 140), 0, "started within the backoff");
    let runs = world.write(|db| runs::latest(db, None, 10)).await;
    assert_eq!(json!(runs), Value::Array(Vec::new()));
}
