//! Prepares the real manager's database for each file, and its changes between two exchanges.

mod actions;
mod content;
mod credentials;
mod listing;
mod runs;

use std::time::Duration;

use actions::{action, before_action, mcp};
use content::before_extract;
use credentials::{before_credentials, credential_ready, register, source_credentials};
use listing::before_listing;
use omni_connector::{AuthType, SyncType};
use omni_connector_dev::store::runs as run_store;
use runs::{
    before_create, before_progress, before_trigger, cancel, events, run_progress, runs_to_start,
};
use serde_json::json;

use crate::{
    exchange::Entry,
    world::{World, options, run_id},
};

/// Prepares the world of a file.
pub(crate) async fn world(file: &str) -> World {
    let mut options = options();
    if file == "trigger" {
        options.calls.call = Duration::from_secs(2);
    }
    let world = World::start(options).await;
    match file {
        "action" => action(&world).await,
        "cancel" => cancel(&world).await,
        "content" => {
            world.source(7, "github", |_| {}).await;
            world.run(7, 7, SyncType::Full).await;
        }
        "create-webhook" | "trigger" => runs_to_start(&world).await,
        "events" => events(&world).await,
        "extract" => {
            world.source(103, "github", |_| {}).await;
            world.run(103, 103, SyncType::Full).await;
        }
        "oauth-credential-ready" => credential_ready(&world).await,
        "register" => register(&world).await,
        "resource-prompt-skill" => mcp(&world).await,
        "run-progress" => run_progress(&world).await,
        "source-credentials" => source_credentials(&world).await,
        "body-errors" | "listing" => {}
        other => panic!("no world for {other}"),
    }
    world
}

/// Applies the changes before an exchange.
pub(crate) async fn before(world: &mut World, file: &str, name: &str) {
    match file {
        "action" => before_action(world, name).await,
        "cancel" => match name {
            "400 connector completes the run while being cancelled" => {
                world.wire.end_run("complete", json!({}));
            }
            "400 connector fails the run while being cancelled" => {
                world.wire.end_run("fail", json!({ "error": "cancelled" }));
            }
            _ => {}
        },
        "content" if name == "run over" => world.end(7).await,
        "create-webhook" => before_create(world, name).await,
        "events" => match name {
            "inactive source" => {
                world
                    .change_source(11, |source| source.is_active = false)
                    .await;
            }
            "400 deleted source" => {
                world
                    .change_source(11, |source| source.is_deleted = true)
                    .await;
            }
            _ => {}
        },
        "extract" => before_extract(world, name).await,
        "listing" => before_listing(world, name).await,
        "oauth-credential-ready" if name == "no row at all" => world.remove_credentials(85).await,
        "register" if name == "catalog recovery merges the organisation row" => {
            let secret = json!({ "client_id": "app", "access_token": "org" });
            world
                .credential(2, 1, AuthType::Oauth, secret, |row| {
                    row.config = json!({ "team": "t1" });
                })
                .await;
        }
        "run-progress" => before_progress(world, name).await,
        "source-credentials" => before_credentials(world, name).await,
        "trigger" => before_trigger(world, name).await,
        _ => {}
    }
}

/// Applies the changes that happened before the answer was complete.
pub(crate) async fn meanwhile(world: &World, asked: &Entry) {
    if asked.name != "progress of a run that fails" {
        return;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    world
        .write(|db| {
            run_store::add_scanned(db, &run_id(102), 3)?;
            run_store::fail(db, &run_id(102), "quota exceeded")
        })
        .await;
}
