//! Prepares sources, runs and manifests for the listings.

use omni_connector::{SyncType, wire::IntegrationType};
use omni_connector_dev::store::{StoreError, runs};
use rusqlite::Transaction;
use serde_json::{Value, json};
use time::macros::datetime;

use crate::world::{World, run_id, source_id};

pub(super) async fn before_listing(world: &mut World, name: &str) {
    match name {
        "connectors, one unhealthy" => list(world).await,
        "sources" => {
            world.run(910, 90, SyncType::Full).await;
            world
                .write(|db| runs::add_scanned(db, &run_id(910), 12))
                .await;
            world.complete(910, None).await;
            world.run(911, 90, SyncType::Incremental).await;
            world
                .write(|db| runs::fail(db, &run_id(911), "quota"))
                .await;
            world.run(912, 91, SyncType::Full).await;
        }
        "schedules" => world.run(913, 90, SyncType::Realtime).await,
        "schedules after a failure" => world.end(90).await,
        "source overview with twelve failures" => {
            world.end(91).await;
            fail_runs(world, 12, runs::TriggerType::Manual).await;
        }
        "source overview, breaker open" => fail_runs(world, 10, runs::TriggerType::Scheduled).await,
        "progress of a run that fails" => world.run(102, 90, SyncType::Full).await,
        _ => {}
    }
}

async fn fail_runs(world: &World, count: usize, trigger: runs::TriggerType) {
    let fail = move |db: &Transaction<'_>| {
        for _ in 0..count {
            let run = runs::insert(db, &source_id(91), SyncType::Full, trigger)?;
            runs::fail(db, &run.id, "end of recording")?;
        }
        Ok::<_, StoreError>(())
    };
    world.write(fail).await;
}

async fn list(world: &World) {
    for (number, name, source_type, made) in [
        (94, "Remote", "acme_mcp", datetime!(2026-08-02 09:00 UTC)),
        (93, "Gone", "github", datetime!(2026-08-03 09:00 UTC)),
        (92, "Old", "github", datetime!(2026-08-04 09:00 UTC)),
        (91, "Issues", "linear", datetime!(2026-08-05 09:00 UTC)),
        (90, "Code", "github", datetime!(2026-08-06 09:00 UTC)),
    ] {
        world
            .source(number, source_type, |source| {
                source.name = name.into();
                source.created_at = made;
                match number {
                    90 => {
                        source.config = json!({ "read_only": true });
                        source.sync_interval_seconds = Some(3600);
                        source.connector_state = Some(json!({ "x": 1 }));
                    }
                    92 => source.is_active = false,
                    93 => source.is_deleted = true,
                    94 => source.integration_type = IntegrationType::RemoteMcp,
                    _ => {}
                }
            })
            .await;
    }
    let action = |name: &str, mode: &str| json!({ "name": name, "description": "d", "input_schema": {}, "mode": mode });
    let with = |mut action: Value, member: &str, value: Value| {
        action[member] = value;
        action
    };
    let beta = json!({
        "name": "beta", "connector_id": "beta", "connector_url": world.wire.url(1), "source_types": ["linear"],
        "sync_modes": ["full"], "read_only": true,
        "actions": [action("look", "read"), action("touch", "write")],
        "resources": [{ "uri_template": "b://x", "name": "x" }],
        "skills": [{ "id": "b", "title": "B" }],
    });
    world.register(beta).await;
    world.wire.set_healthy(1, false);
    let list_items = json!({
        "name": "list_items", "description": "d", "mode": "read", "required_scopes": ["r"],
        "input_schema": { "type": "object", "properties": { "query": { "type": "string" } } },
        "source_types": ["github", "clickup"],
    });
    let admin = with(
        action("admin_lookup", "read"),
        "source_types",
        json!(["clickup"]),
    );
    let acme = json!({
        "sync_modes": ["full"], "source_types": ["github", "clickup"],
        "actions": [
            list_items,
            with(action("create_item", "write"), "source_types", json!(["github"])),
            action("any_type", "read"),
            with(action("hidden_one", "write"), "hidden", json!(true)),
            with(admin, "admin_only", json!(true)),
        ],
        "mcp_enabled": true, "mcp_catalog_loaded": true,
        "resources": [
            { "uri_template": "acme://items/{id}", "name": "item", "description": "One", "mime_type": "text/plain" },
            { "uri_template": "acme://all", "name": "all" },
        ],
        "prompts": [
            { "name": "summarise", "description": "S", "arguments": [{ "name": "id", "required": true }] },
            { "name": "p2" },
        ],
        "skills": [
            { "id": "acme-help", "title": "Help", "source_types": ["github"], "content": "# Help" },
            { "id": "mcp:summarise", "title": "summarise", "mcp_prompt": "summarise" },
        ],
    });
    world.register(acme).await;
}
