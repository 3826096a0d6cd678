//! Prepares sources and runs for exchanges that start, report or end runs.

use omni_connector::SyncType;
use omni_connector_dev::Options;
use rusqlite::{Transaction, params};
use serde_json::{Value, json};

use crate::world::{World, options, run_id};

pub(super) async fn cancel(world: &World) {
    for number in 80..=88 {
        let source_type = if number == 87 { "imap" } else { "github" };
        world.source(number, source_type, |_| {}).await;
        world.run(number, number, SyncType::Full).await;
    }
    world.register(json!({})).await;
}

pub(super) async fn runs_to_start(world: &World) {
    for (number, source_type) in [
        (50, "github"),
        (51, "github"),
        (52, "imap"),
        (53, "github"),
        (56, "github"),
        (57, "github"),
        (60, "github"),
        (61, "linear"),
    ] {
        world
            .source(number, source_type, |source| match number {
                51 => source.is_active = false,
                53 => source.is_deleted = true,
                _ => {}
            })
            .await;
    }
    world.checkpoint(50, json!({ "cursor": "seed" })).await;
    let beta = json!({
        "name": "beta", "connector_id": "beta", "connector_url": world.wire.url(1), "source_types": ["linear"]
    });
    world.register(beta).await;
    world.register(json!({})).await;
}

pub(super) async fn before_trigger(world: &mut World, name: &str) {
    match name {
        "incremental after a completion" => {
            world.complete(42, Some(json!({ "cursor": "c-1" }))).await;
        }
        "incremental after a realtime completion" => {
            world.complete(47, Some(json!({ "rt": 1 }))).await;
        }
        "incremental after a completion without checkpoint" => world.complete(49, None).await,
        "incremental after a completion with checkpoint null" => {
            world.complete(50, Some(Value::Null)).await;
        }
        "checkpoint as stored" => {
            let text = r#"{"k":[1,2.50,"é",null],"a":{"é":1e3,"i":12345678901}}"#;
            let checkpoint = serde_json::from_str(text).unwrap();
            world.complete(51, Some(checkpoint)).await;
        }
        "404 unknown source" => world.complete(52, None).await,
        "500 connection refused" => world.register_unreachable(json!({})).await,
        "run completed by the connector before it answers" => {
            world.register(json!({})).await;
            world.wire.end_run("complete", json!({}));
        }
        "500 answered after the connector completed the run" => {
            world.wire.end_run("complete", json!({}));
        }
        "409 class limit" | "409 global limit" => limit_runs(world, name).await,
        _ => {}
    }
    // Other running runs are ended, except those that must block the exchange.
    let in_the_way = name.starts_with("409") || name == "realtime beside it";
    if !in_the_way {
        world.end(50).await;
    }
}

/// Starts a manager that allows three runs, two of a class. The name says how many are running.
async fn limit_runs(world: &mut World, name: &str) {
    if name == "409 global limit" {
        return world.run(901, 105, SyncType::Realtime).await;
    }
    let mut few: Options = options();
    few.runs.concurrent = 3;
    few.runs.concurrent_per_class = 2;
    world.restart(few).await;
    for number in 101..=105 {
        world.source(number, "github", |_| {}).await;
    }
    world.register(json!({})).await;
    world.run(902, 101, SyncType::Full).await;
    world.run(903, 102, SyncType::Full).await;
}

pub(super) async fn before_create(world: &mut World, name: &str) {
    match name {
        "create full" => world.end(56).await,
        "webhook, nothing completed yet" => {
            for number in [52, 53, 56] {
                world.end(number).await;
            }
        }
        "webhook after a completion" => world.complete(94, Some(json!({ "w": 1 }))).await,
        "webhook with empty event type" | "500 webhook, connector refuses" => world.end(57).await,
        "409 class limit" | "409 global limit" => limit_runs(world, name).await,
        _ => {}
    }
}

pub(super) async fn events(world: &World) {
    world.source(10, "github", |_| {}).await;
    world.source(11, "github", |_| {}).await;
    world.run(1, 10, SyncType::Full).await;
    for (run, status) in [(2, "failed"), (3, "completed"), (4, "cancelled")] {
        world.run(run, 11, SyncType::Full).await;
        let end = move |db: &Transaction<'_>| {
            db.execute(
                "UPDATE sync_runs SET status = ?2 WHERE id = ?1",
                params![run_id(run), status],
            )?;
            Ok(())
        };
        world.write(end).await;
    }
    world.run(5, 11, SyncType::Full).await;
}

pub(super) async fn run_progress(world: &World) {
    for number in 30..=40 {
        world.source(number, "github", |_| {}).await;
    }
    world.checkpoint(30, json!({ "cursor": "old" })).await;
    for run in [32, 36, 37, 38, 39, 40] {
        world.run(run, run, SyncType::Full).await;
    }
    world.run(33, 30, SyncType::Full).await;
}

pub(super) async fn before_progress(world: &World, name: &str) {
    match name {
        "complete without a checkpoint erases the published one" => {
            world.run(34, 30, SyncType::Full).await;
        }
        "checkpoint null" => world.run(35, 30, SyncType::Full).await,
        _ => {}
    }
}
