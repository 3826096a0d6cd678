//! The default answers of the two parties: a manager like the real one, and a well-behaved
//! connector.

use std::collections::{BTreeMap, BTreeSet};

use omni_connector_dev::testing::wire::Answer;
use serde_json::{Value, json};

use crate::peer::{Role, Seen, json};

/// A manager with the data that the rows put into it.
#[derive(Debug, Default)]
pub(crate) struct ScriptedManager {
    /// The latest registration.
    pub(crate) manifest: Option<Value>,
    sources: BTreeMap<String, Value>,
    credentials: BTreeMap<String, Value>,
    /// Ids of contents, by text.
    contents: BTreeMap<String, String>,
    checkpoints: BTreeMap<String, Value>,
    over: BTreeSet<String>,
}

impl ScriptedManager {
    /// Stores a source as in `protocol.md` §4.2, with these fields replaced.
    pub(crate) fn put_source(&mut self, id: &str, fields: &serde_json::Map<String, Value>) {
        let mut source = json!({
            "id": id, "name": "Team items", "source_type": "web", "integration_type": "connector",
            "config": { "api_url": "https://acme.example/item" }, "is_active": true, "is_deleted": false,
            "scope": "org", "user_filter_mode": "all", "user_whitelist": null, "user_blacklist": null,
            "connector_state": null, "checkpoint": null, "sync_interval_seconds": 3600,
            "created_at": "+002026-08-01T09:00:00.000000000Z",
            "updated_at": "+002026-08-22T04:08:28.123456000Z", "created_by": "01JZZ8V6S2D4F6H8K0M2P4R6T8",
        });
        for (key, value) in fields {
            source[key] = value.clone();
        }
        self.sources.insert(id.to_owned(), source);
    }

    /// Stores the credential of a source (§4.3).
    pub(crate) fn put_credential(&mut self, source: &str, secret: &Value) {
        let credential = json!({
            "id": "01K3CRED000000000000000001", "source_id": source, "user_id": null, "provider": "notion",
            "auth_type": "api_key", "principal_email": null, "credentials": secret, "config": {},
            "expires_at": null, "last_validated_at": null, "created_at": "+002026-08-01T09:00:00.000000000Z",
            "updated_at": "+002026-08-01T09:00:00.000000000Z",
        });
        self.credentials.insert(source.to_owned(), credential);
    }

    fn events(&self, batch: &Value) -> Answer {
        let (source, run) = (text(batch, "source_id"), text(batch, "sync_run_id"));
        let events = batch["events"].as_array().cloned().unwrap_or_default();
        let is_foreign =
            |event: &Value| text(event, "source_id") != source || text(event, "sync_run_id") != run;
        let error = if !self.sources.contains_key(source) {
            "Unknown event source"
        } else if self.over.contains(run) {
            "Events may only be emitted for a running sync run"
        } else if events.iter().any(is_foreign) {
            "Event source_id/sync_run_id does not match the trusted request context"
        } else {
            return ok();
        };
        json(400, &json!({ "error": error }))
    }

    fn progress(&mut self, run: &str, what: &str, body: &Value) -> Answer {
        match what {
            "checkpoint" => {
                self.checkpoints.insert(run.to_owned(), body.clone());
            }
            "complete" | "fail" => {
                self.over.insert(run.to_owned());
            }
            "heartbeat" | "scanned" | "updated" => {}
            _ => return nothing(404),
        }
        ok()
    }
}

impl Role for ScriptedManager {
    fn answer(&mut self, seen: &Seen) -> Answer {
        let parts: Vec<&str> = seen
            .call
            .split([' ', '/'])
            .filter(|part| !part.is_empty())
            .collect();
        match parts[..] {
            ["POST", "sdk", "register"] => {
                self.manifest = Some(seen.body.clone());
                ok()
            }
            ["GET", "sdk", "source", id] => {
                found(self.sources.get(id), &format!("Source not found: {id}"))
            }
            ["GET", "sdk", "credentials", id] => {
                let error = format!("Credentials not found for source: {id}");
                found(self.credentials.get(id), &error)
            }
            ["POST", "sdk", "events", "batch"] => self.events(&seen.body),
            ["POST", "sdk", "content"] => {
                let content = text(&seen.body, "content").to_owned();
                let id = self
                    .contents
                    .entry(content)
                    .or_insert_with(|| ulid::Ulid::generate().to_string());
                json(200, &json!({ "content_id": id }))
            }
            // No run is dispatched unless the row says so.
            ["POST", "sdk", "sync", "create"] | ["POST", "sdk", "webhook", "notify"] => json(
                200,
                &json!({ "sync_run_id": ulid::Ulid::generate().to_string() }),
            ),
            ["POST", "sdk", "sync", "cancel"] => {
                self.over.insert(text(&seen.body, "sync_run_id").to_owned());
                json(200, &json!({ "success": true }))
            }
            ["POST" | "PUT", "sdk", "sync", run, what] => self.progress(run, what, &seen.body),
            _ => nothing(404),
        }
    }

    fn look_at(&self, seen: &Seen) -> Option<String> {
        // An unreachable connector is not registered (§1.4).
        let url = seen.body["connector_url"].as_str()?;
        (seen.call == "POST /sdk/register").then(|| format!("{url}/health"))
    }
}

/// A connector that does as requested.
#[derive(Debug, Default)]
pub(crate) struct ScriptedConnector;

impl Role for ScriptedConnector {
    fn answer(&mut self, seen: &Seen) -> Answer {
        let (method, path) = seen.call.split_once(' ').unwrap_or_default();
        match (method, path) {
            ("GET", "/health") => json(
                200,
                &json!({ "status": "healthy", "service": "conformance-connector" }),
            ),
            ("POST", "/sync") => json(200, &json!({ "status": "started" })),
            ("GET", path) if path.starts_with("/sync/") => json(200, &json!({ "running": true })),
            ("POST", "/cancel") => json(200, &json!({ "status": "cancelled" })),
            ("POST", "/action") => json(
                200,
                &json!({ "status": "success", "result": { "ok": true } }),
            ),
            ("POST", "/oauth/credential-ready") => nothing(204),
            _ => json(404, &json!({ "error": "no such route" })),
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn ok() -> Answer {
    json(200, &json!({ "status": "ok" }))
}

fn nothing(status: u16) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

fn found(value: Option<&Value>, error: &str) -> Answer {
    match value {
        Some(value) => json(200, value),
        None => json(404, &json!({ "error": error })),
    }
}
