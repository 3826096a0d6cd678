//! Prepares sources, credentials and manifests for actions, resources, prompts and skills.

use omni_connector::{AuthType, wire::SourceScope};
use omni_connector_dev::store::{contents, documents};
use rusqlite::{Transaction, params};
use serde_json::{Value, json};
use time::macros::datetime;

use super::credentials::of_service;
use crate::world::{ADA, BOB, World, source_id};

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

pub(super) async fn action(world: &World) {
    world
        .source(70, "github", |source| {
            source.name = "Team code".into();
            source.config = json!({ "nested": { "a": 1 }, "page_size": 50, "repo": "acme/wiki" });
            source.connector_state = Some(json!({ "webhook_id": "w1" }));
            source.sync_interval_seconds = Some(3600);
        })
        .await;
    world.checkpoint(70, json!({ "etag": "a1" })).await;
    world.source(71, "imap", |_| {}).await;
    world
        .source(72, "github", |source| {
            source.config = json!({ "read_only": true });
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
            source.config = json!({ "file_id": "from the config" });
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
            row.user_id = Some(BOB.to_owned());
        })
        .await;
    document(world).await;
    world.register(action_manifest(json!({}))).await;
}

/// Stores `page-9` under Omni's id, in a separate source.
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

pub(super) async fn before_action(world: &World, name: &str) {
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

pub(super) async fn mcp(world: &World) {
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
            row.user_id = Some(ADA.to_owned());
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
