//! What stood in the real manager's database at the start of each file, and what was changed between two exchanges.

use std::time::Duration;

use omni_connector::{
    AuthType, ServiceCredential, SyncType,
    contract::{IntegrationType, SourceScope, UserFilterMode},
};
use omni_connector_dev::{
    Options,
    store::{StoreError, contents, documents, runs},
};
use rusqlite::{Transaction, params};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    exchange::{BOUNDARY, Entry},
    fake::eventually,
    world::{ADA, BOB, World, options, run_id, source_id},
};

/// The world of a file.
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

/// What was changed before an exchange.
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
                    .await
            }
            "400 deleted source" => {
                world
                    .change_source(11, |source| source.is_deleted = true)
                    .await
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

/// What happened while the answer came.
pub(crate) async fn meanwhile(world: &World, asked: &Entry) {
    if asked.name != "progress of a run that fails" {
        return;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    world
        .write(|db| {
            runs::add_scanned(db, &run_id(102), 3)?;
            runs::fail(db, &run_id(102), "quota exceeded")
        })
        .await;
}

fn action_manifest(members: Value) -> Value {
    let action = |name: &str, mode: &str, types: Value| json!({ "name": name, "description": "d", "input_schema": {}, "mode": mode, "source_types": types });
    let mut actions = vec![
        action("list_items", "read", json!(["github"])),
        action("create_item", "write", json!(["github"])),
        action("fetch_file", "read", json!(["github"])),
        action("any_type", "read", json!([])),
        action("other_type", "read", json!(["clickup"])),
    ];
    for (name, member, value) in [
        ("hidden_one", "hidden", json!(true)),
        ("admin_lookup", "admin_only", json!(true)),
    ] {
        let mut action = action(name, "read", json!(["github"]));
        action[member] = value;
        actions.push(action);
    }
    actions.push(json!({
        "name": "default_mode", "description": "d", "input_schema": {}, "source_types": ["github"]
    }));
    let mut manifest = json!({ "actions": actions });
    let members = members.as_object().unwrap().clone();
    manifest.as_object_mut().unwrap().extend(members);
    manifest
}

async fn action(world: &World) {
    world
        .source(70, "github", |source| {
            source.name = "Team code".to_owned();
            source.config = json!({ "nested": { "a": 1 }, "page_size": 50, "repo": "acme/wiki" });
            source.connector_state = Some(json!({ "webhook_id": "w1" }));
            source.checkpoint = Some(json!({ "etag": "a1" }));
            source.sync_interval_seconds = Some(3600);
        })
        .await;
    world.source(71, "imap", |_| {}).await;
    world
        .source(72, "github", |source| {
            source.config = json!({ "read_only": true })
        })
        .await;
    world.source(73, "github", |_| {}).await;
    world
        .source(74, "github", |source| {
            source.is_active = false;
            source.is_deleted = true;
        })
        .await;
    world.source(75, "github", |_| {}).await;
    world
        .source(78, "github", |source| {
            source.config = json!({ "file_id": "from the config" })
        })
        .await;
    let secret = json!({ "api_url": "https://api.example.com", "token": "org-token" });
    world
        .credential(70, 70, AuthType::BearerToken, secret, of_service)
        .await;
    for number in [74, 78] {
        let secret = json!({ "token": "t" });
        world
            .credential(number, number, AuthType::BearerToken, secret, |_| {})
            .await;
    }
    let secret = json!({ "token": "own" });
    world
        .credential(76, 75, AuthType::BearerToken, secret, |row| {
            row.user_id = Some(BOB.to_owned())
        })
        .await;
    document(world).await;
    world.register(action_manifest(json!({}))).await;
}

fn of_service(row: &mut ServiceCredential) {
    row.principal_email = Some("svc@example.com".to_owned());
    row.config = json!({ "domain": "example.com" });
}

/// `page-9` under Omni's id, in a source of its own.
async fn document(world: &World) {
    world.source(79, "github", |_| {}).await;
    let insert = |db: &Transaction<'_>| {
        let content_id = contents::put(db, "", "text")?;
        db.execute(
            "INSERT INTO documents (id, source_id, document_id, content_id, title, metadata, attributes, created_at,
                updated_at) VALUES (?1, ?2, 'page-9', ?3, 'Page', '{}', '{}', 0, 0)",
            params!["01K3DCM0000000000000000001", source_id(79), content_id],
        )?;
        let found = documents::find_by_id(db, "01K3DCM0000000000000000001")?;
        assert!(found.is_some());
        Ok(())
    };
    world.write(insert).await;
}

async fn before_action(world: &World, name: &str) {
    match name {
        "read_only that is no boolean" => {
            world
                .change_source(72, |source| source.config = json!({ "read_only": "true" }))
                .await;
            let secret = json!({ "token": "t" });
            world
                .credential(72, 72, AuthType::BearerToken, secret, |_| {})
                .await;
        }
        "400 write with a read-only manifest" => {
            world
                .register(action_manifest(json!({ "read_only": true })))
                .await;
        }
        "404 no credential row" => world.register(action_manifest(json!({}))).await,
        "user row merged over the organisation row" => {
            let secret = json!({
                "access_token": "org-at", "api_url": "https://api.example.com", "client_id": "app", "id_token": "x",
                "refresh_token": "org-rt", "token": "org-t", "token_type": "bearer",
            });
            let changed = datetime!(2026-08-22 04:08:14.101919 UTC);
            world
                .credential(70, 70, AuthType::BearerToken, secret, |row| {
                    of_service(row);
                    row.updated_at = changed;
                })
                .await;
            let secret = json!({ "access_token": "bob-at", "token": "bob-token" });
            world
                .credential(75, 70, AuthType::Oauth, secret, |row| {
                    row.user_id = Some(BOB.to_owned());
                    row.principal_email = Some("bob@example.com".to_owned());
                    row.config = json!({ "granted_scopes": ["read"] });
                })
                .await;
        }
        "412 organisation row only and oauth manifest" => {
            let oauth = json!({ "oauth": { "provider": "github" } });
            world.register(action_manifest(oauth)).await;
        }
        "412 with an empty oauth object" => {
            world
                .register(action_manifest(json!({ "oauth": {} })))
                .await;
        }
        "500 connector refused" => world.register_unreachable(action_manifest(json!({}))).await,
        _ => {}
    }
}

async fn cancel(world: &World) {
    for number in 80..=88 {
        let source_type = if number == 87 { "imap" } else { "github" };
        world.source(number, source_type, |_| {}).await;
        world.run(number, number, SyncType::Full).await;
    }
    world.register(json!({})).await;
}

async fn runs_to_start(world: &World) {
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
                50 => source.checkpoint = Some(json!({ "cursor": "seed" })),
                51 => source.is_active = false,
                53 => source.is_deleted = true,
                _ => {}
            })
            .await;
    }
    let beta = json!({
        "name": "beta", "connector_id": "beta", "connector_url": world.wire.url(1), "source_types": ["linear"]
    });
    world.register(beta).await;
    world.register(json!({})).await;
}

async fn before_trigger(world: &mut World, name: &str) {
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
    // Whatever else ran before was ended, except for those that are in the way on purpose.
    let in_the_way = name.starts_with("409") || name == "realtime beside it";
    if !in_the_way {
        world.end(50).await;
    }
}

/// A manager for three runs, two of a class, with as many running as the name says.
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

async fn before_create(world: &mut World, name: &str) {
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

async fn events(world: &World) {
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

async fn before_extract(world: &mut World, name: &str) {
    match name {
        "run over" => world.end(103).await,
        "413 data too large" => {
            let mut small = options();
            small.extraction.max_input_bytes = 2000;
            small.extraction.max_text_bytes = 100;
            small.extraction.max_rows = 2;
            small.extraction.concurrency = 1;
            small.extraction.retry_after = 7;
            world.restart(small).await;
        }
        "429 extraction busy" => {
            let address = world.manager().url().replace("http://", "");
            let mut stream = TcpStream::connect(&address).await.unwrap();
            let head = format!(
                "POST /sdk/extract-text HTTP/1.1\r\nhost: {address}\r\ncontent-length: 1000\r\n\
                 content-type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n--{BOUNDARY}\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            world.held = Some(stream);
            eventually("a busy extraction", async || {
                probe_extraction(world).await == 429
            })
            .await;
        }
        "permit free again after the client went away" => {
            world.held = None;
            eventually("a free permit", async || {
                probe_extraction(world).await != 429
            })
            .await;
        }
        _ => {}
    }
}

/// The status of a form without fields.
async fn probe_extraction(world: &World) -> u16 {
    let url = format!("{}/sdk/extract-text", world.manager().url());
    let request = world
        .http
        .post(url)
        .header(
            "content-type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(format!("--{BOUNDARY}--\r\n"));
    request.send().await.unwrap().status().as_u16()
}

async fn before_listing(world: &mut World, name: &str) {
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
                source.name = name.to_owned();
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

async fn credential_ready(world: &World) {
    world
        .source(85, "clickup", |source| source.is_active = false)
        .await;
    world.source(86, "imap", |_| {}).await;
    let secret = json!({ "access_token": "org-at", "client_id": "app" });
    world
        .credential(85, 85, AuthType::Oauth, secret, |row| {
            row.config = json!({ "team": "t1" })
        })
        .await;
    world
        .credential(
            86,
            85,
            AuthType::Oauth,
            json!({ "access_token": "bob-at" }),
            of_bob,
        )
        .await;
    world.register(json!({ "source_types": ["clickup"] })).await;
}

fn of_bob(row: &mut ServiceCredential) {
    row.user_id = Some(BOB.to_owned());
    row.provider = "clickup".to_owned();
    row.principal_email = Some("bob@example.com".to_owned());
    row.config = json!({ "granted_scopes": ["read"] });
}

async fn register(world: &World) {
    world.source(1, "clickup", |_| {}).await;
    let secret = json!({ "access_token": "at-1", "refresh_token": "rt-1" });
    world
        .credential(1, 1, AuthType::Oauth, secret, of_bob)
        .await;
}

async fn mcp(world: &World) {
    for (number, source_type) in [(80, "github"), (81, "github"), (82, "imap"), (83, "github")] {
        world
            .source(number, source_type, |source| {
                if number == 83 {
                    source.scope = SourceScope::User;
                }
            })
            .await;
    }
    world
        .credential(
            80,
            80,
            AuthType::BearerToken,
            json!({ "token": "org" }),
            of_service,
        )
        .await;
    world
        .credential(
            82,
            82,
            AuthType::BasicAuth,
            json!({ "password": "p" }),
            |_| {},
        )
        .await;
    let own = json!({ "token": "own" });
    world
        .credential(83, 83, AuthType::BearerToken, own, |row| {
            row.user_id = Some(ADA.to_owned())
        })
        .await;
    let skills = json!({ "skills": [
        { "id": "acme-help", "title": "Help", "content": "# Acme help" },
        { "id": "empty-content", "title": "E", "content": "" },
        { "id": "acme-live", "title": "Live" },
        { "id": "mcp:summarise", "title": "summarise", "mcp_prompt": "summarise" },
    ] });
    world.register(skills).await;
}

async fn run_progress(world: &World) {
    for number in 30..=40 {
        world.source(number, "github", |_| {}).await;
    }
    world
        .change_source(30, |source| {
            source.checkpoint = Some(json!({ "cursor": "old" }))
        })
        .await;
    for run in [32, 36, 37, 38, 39, 40] {
        world.run(run, run, SyncType::Full).await;
    }
    world.run(33, 30, SyncType::Full).await;
}

async fn before_progress(world: &World, name: &str) {
    match name {
        "complete without a checkpoint erases the published one" => {
            world.run(34, 30, SyncType::Full).await;
        }
        "checkpoint null" => world.run(35, 30, SyncType::Full).await,
        _ => {}
    }
}

async fn source_credentials(world: &World) {
    let config =
        json!({ "nested": { "a": [1, 2.5, null] }, "read_only": false, "repo": "acme/wiki" });
    world
        .source(40, "github", |source| {
            source.name = "Team code".to_owned();
            source.config = config;
            source.connector_state = Some(json!({ "webhook_id": "w1" }));
            source.checkpoint = Some(json!({ "etag": "a1" }));
            source.sync_interval_seconds = Some(3600);
        })
        .await;
    world
        .source(41, "github", |source| {
            source.name = "Personal".to_owned();
            source.is_active = false;
            source.scope = SourceScope::User;
            source.created_by = BOB.to_owned();
            source.user_filter_mode = UserFilterMode::Whitelist;
            source.user_whitelist = Some(vec!["ada@example.com".into(), "Bob@Example.com".into()]);
        })
        .await;
    world
        .source(42, "github", |source| {
            source.name = "Gone".to_owned();
            source.is_deleted = true;
            source.user_filter_mode = UserFilterMode::Blacklist;
            source.user_blacklist = Some(vec!["eve@example.com".into()]);
        })
        .await;
    world.source(43, "clickup", |_| {}).await;
    world
        .source(44, "acme_mcp", |source| {
            source.name = "Remote MCP".to_owned();
            source.integration_type = IntegrationType::RemoteMcp;
            source.config = json!({ "url": "https://mcp.example.com" });
        })
        .await;
    for number in 45..=48 {
        world
            .source(number, "imap", |source| {
                source.name = format!("Mail {}", number - 44);
                match number {
                    46 => source.is_active = false,
                    47 => source.is_deleted = true,
                    48 => {
                        source.created_at = datetime!(2026-08-03 09:00 UTC);
                        source.connector_state = Some(json!({ "x": 1 }));
                        source.checkpoint = Some(json!({ "uid": 7 }));
                    }
                    _ => {}
                }
            })
            .await;
    }
    world
        .credential(
            40,
            40,
            AuthType::BearerToken,
            json!({ "token": "ghp_1" }),
            |row| {
                row.principal_email = Some("ada@example.com".to_owned());
                row.config = json!({ "domain": "example.com" });
            },
        )
        .await;
    world
        .credential(
            41,
            41,
            AuthType::BearerToken,
            json!({ "token": "org" }),
            |_| {},
        )
        .await;
    let secret = json!({ "username": "u", "password": "p" });
    world
        .credential(42, 41, AuthType::BasicAuth, secret, |row| {
            row.user_id = Some(BOB.to_owned())
        })
        .await;
}

async fn before_credentials(world: &World, name: &str) {
    let token_uri = format!("{}/token", world.wire.url(2));
    let secret = |members: Value| {
        let mut secret = json!({
            "access_token": "at-1", "client_id": "app", "extra": "kept", "refresh_token": "rt-1",
            "token_uri": token_uri,
        });
        let members = members.as_object().unwrap().clone();
        secret.as_object_mut().unwrap().extend(members);
        secret
    };
    let (secret, expires_at) = match name {
        "oauth token still valid" => (secret(json!({})), datetime!(2027-08-01 00:00 UTC)),
        "oauth token refreshed" | "500 oauth refresh refused" => (secret(json!({})), soon()),
        "oauth refresh with rotation, secret and resource" => {
            let config =
                json!({ "oauth_client_id": "cfg-app", "oauth_client_secret": "cfg-secret" });
            world.config("clickup", config).await;
            (secret(json!({})), soon())
        }
        "oauth refresh with basic authentication" => {
            world.config("clickup", Value::Null).await;
            let members = json!({
                "client_secret": "s", "resource": "https://mcp.example.com/mcp",
                "token_endpoint_auth_method": "client_secret_basic",
            });
            (secret(members), soon())
        }
        "oauth token expiring without refresh token" => {
            (secret(json!({ "refresh_token": "" })), soon())
        }
        "oauth token expired without token endpoint" => {
            let secret = json!({ "access_token": "at-1", "refresh_token": "rt" });
            (secret, datetime!(2026-08-01 00:00 UTC))
        }
        "500 oauth refresh, token endpoint unreachable" => {
            let token_uri = format!("{}/token", world.wire.url(3));
            (secret(json!({ "token_uri": token_uri })), soon())
        }
        "connector config" => {
            let config =
                json!({ "oauth_client_id": "cfg-app", "oauth_client_secret": "cfg-secret" });
            return world.config("github", config).await;
        }
        _ => return,
    };
    world
        .credential(44, 43, AuthType::Oauth, secret, |row| {
            row.provider = "clickup".to_owned();
            row.expires_at = Some(expires_at);
        })
        .await;
}

/// Within the five minutes in which tokens are refreshed, as the database of the real manager keeps it.
fn soon() -> OffsetDateTime {
    let soon = OffsetDateTime::now_utc() + time::Duration::minutes(2);
    soon.replace_nanosecond(123_456_000).unwrap()
}
