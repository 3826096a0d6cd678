//! Prepares sources and credentials for reads, refreshes and sign-in notices.

use omni_connector::{
    AuthType, ServiceCredential,
    wire::{IntegrationType, SourceScope, UserFilterMode},
};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};

use crate::world::{BOB, World};

pub(super) fn of_service(row: &mut ServiceCredential) {
    row.principal_email = Some("svc@example.com".to_owned());
    row.config = json!({ "domain": "example.com" });
}

pub(super) fn of_bob(row: &mut ServiceCredential) {
    row.user_id = Some(BOB.to_owned());
    row.provider = "clickup".into();
    row.principal_email = Some("bob@example.com".to_owned());
    row.config = json!({ "granted_scopes": ["read"] });
}

pub(super) async fn credential_ready(world: &World) {
    world
        .source(85, "clickup", |source| source.is_active = false)
        .await;
    world.source(86, "imap", |_| {}).await;
    let secret = json!({ "access_token": "org-at", "client_id": "app" });
    world
        .credential(85, 85, AuthType::Oauth, secret, |row| {
            row.config = json!({ "team": "t1" });
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

pub(super) async fn register(world: &World) {
    world.source(1, "clickup", |_| {}).await;
    let secret = json!({ "access_token": "at-1", "refresh_token": "rt-1" });
    world
        .credential(1, 1, AuthType::Oauth, secret, of_bob)
        .await;
}

pub(super) async fn source_credentials(world: &World) {
    let config =
        json!({ "nested": { "a": [1, 2.5, null] }, "read_only": false, "repo": "acme/wiki" });
    world
        .source(40, "github", |source| {
            source.name = "Team code".into();
            source.config = config;
            source.connector_state = Some(json!({ "webhook_id": "w1" }));
            source.sync_interval_seconds = Some(3600);
        })
        .await;
    world.checkpoint(40, json!({ "etag": "a1" })).await;
    world
        .source(41, "github", |source| {
            source.name = "Personal".into();
            source.is_active = false;
            source.scope = SourceScope::User;
            source.created_by = BOB.into();
            source.user_filter_mode = UserFilterMode::Whitelist;
            source.user_whitelist = Some(vec!["ada@example.com".into(), "Bob@Example.com".into()]);
        })
        .await;
    world
        .source(42, "github", |source| {
            source.name = "Gone".into();
            source.is_deleted = true;
            source.user_filter_mode = UserFilterMode::Blacklist;
            source.user_blacklist = Some(vec!["eve@example.com".into()]);
        })
        .await;
    world.source(43, "clickup", |_| {}).await;
    world
        .source(44, "acme_mcp", |source| {
            source.name = "Remote MCP".into();
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
                    }
                    _ => {}
                }
            })
            .await;
    }
    world.checkpoint(48, json!({ "uid": 7 })).await;
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
            row.user_id = Some(BOB.to_owned());
        })
        .await;
}

pub(super) async fn before_credentials(world: &World, name: &str) {
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
            row.provider = "clickup".into();
            row.expires_at = Some(expires_at);
        })
        .await;
}

/// Returns an expiry within the five minutes of the refresh margin, in the real database's
/// precision.
fn soon() -> OffsetDateTime {
    let soon = OffsetDateTime::now_utc() + time::Duration::minutes(2);
    soon.replace_nanosecond(123_456_000).unwrap()
}
