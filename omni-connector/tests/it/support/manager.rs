//! A manager that records its calls and answers by a script. Unlike the development manager, it can misbehave.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Router, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::answers::{give_credentials, give_source, subject, take};

/// A call that the manager received.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) route: String,
    pub(crate) body: Value,
}

#[derive(Default)]
pub(super) struct Told {
    pub(super) calls: Vec<Call>,
    /// Ids of the next runs.
    pub(super) run_ids: VecDeque<&'static str>,
    /// Answers in place of the usual ones, by a part of the route. Each is used once.
    instead: VecDeque<(&'static str, Instead)>,
    /// Ids of documents that make a batch malformed.
    pub(super) poison: Vec<&'static str>,
    pub(super) source: Value,
    pub(super) credentials: Option<Value>,
    pub(super) delay: Duration,
    /// The current and the highest number of parallel calls, by route.
    pub(super) at_once: BTreeMap<String, (usize, usize)>,
}

/// A reaction in place of the usual answer.
pub(crate) enum Instead {
    /// This status and body, without an effect.
    Answer(u16, Value),
    /// The call takes effect, and its answer is lost.
    LoseAnswer,
    /// A page of HTML with status 200, without an effect.
    Html,
    /// The usual answer, delayed by this time.
    Wait(Duration),
}

#[derive(Clone)]
pub(crate) struct Manager {
    told: Arc<Mutex<Told>>,
    pub(crate) url: String,
}

impl Manager {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let told = Told {
            source: source(),
            ..Told::default()
        };
        let manager = Self {
            told: Arc::new(Mutex::new(told)),
            url,
        };
        let router = Router::new()
            .route("/sdk/source/{id}", get(give_source))
            .route("/sdk/credentials/{id}", get(give_credentials))
            .fallback(take)
            .with_state(manager.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        manager
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the reaction to the next call whose route contains `route`.
    pub(crate) fn instead(&self, route: &'static str, instead: Instead) {
        self.told().instead.push_back((route, instead));
    }

    /// Sets the ids of the next runs.
    pub(crate) fn run_ids(&self, ids: impl IntoIterator<Item = &'static str>) {
        self.told().run_ids.extend(ids);
    }

    /// Waits for this many calls whose route contains `part`.
    pub(crate) async fn told_times(&self, part: &str, times: usize) {
        for _ in 0..1_000 {
            if self.calls(part).len() >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{part} came {} times", self.calls(part).len());
    }

    pub(super) fn take_instead(&self, route: &str) -> Option<Instead> {
        let mut told = self.told();
        let is_meant = |(part, _): &(&str, Instead)| route.contains(part);
        let index = told.instead.iter().position(is_meant)?;
        told.instead.remove(index).map(|(_, instead)| instead)
    }

    pub(crate) fn poison(&self, document: &'static str) {
        self.told().poison.push(document);
    }

    pub(crate) fn delay(&self, delay: Duration) {
        self.told().delay = delay;
    }

    pub(crate) fn change_source(&self, key: &str, value: Value) {
        self.told().source[key] = value;
    }

    pub(crate) fn give_credentials(&self, secret: &Value) {
        self.give_row("api_key", secret, &json!({}));
    }

    pub(crate) fn give_row(&self, auth_type: &str, secret: &Value, config: &Value) {
        self.told().credentials = Some(json!({
            "id": "K1", "source_id": "S1", "user_id": null, "provider": "atlassian", "auth_type": auth_type,
            "principal_email": null, "credentials": secret, "config": config, "expires_at": null,
            "last_validated_at": null, "created_at": "+002026-08-01T09:00:00.000000000Z",
            "updated_at": "+002026-08-01T09:00:00.000000000Z"
        }));
    }

    /// Returns every call so far whose route contains `part`.
    pub(crate) fn calls(&self, part: &str) -> Vec<Call> {
        self.told()
            .calls
            .iter()
            .filter(|call| call.route.contains(part))
            .cloned()
            .collect()
    }

    /// Returns the highest number of parallel calls of a route.
    pub(crate) fn most_at_once(&self, part: &str) -> usize {
        let told = self.told();
        let routes = told
            .at_once
            .iter()
            .filter(|(route, _)| route.contains(part));
        routes.map(|(_, (_, most))| *most).max().unwrap_or_default()
    }

    /// Returns the calls of a run in short form, without registrations.
    pub(crate) fn routes(&self) -> Vec<String> {
        let calls = self.told().calls.clone();
        calls
            .into_iter()
            .map(|call| call.route)
            .filter(|route| !route.contains("register"))
            .collect()
    }

    /// Returns the changes of documents, in the order of the manager's acceptance.
    pub(crate) fn documents(&self) -> Vec<String> {
        let batches = self.calls("events");
        batches
            .iter()
            .flat_map(|call| call.body["events"].as_array().unwrap().clone())
            .map(|event| subject(&event))
            .collect()
    }

    /// Waits for a call whose route contains `part`. Returns its body.
    pub(crate) async fn told_of(&self, part: &str) -> Value {
        for _ in 0..1_000 {
            if let Some(call) = self.calls(part).first() {
                return call.body.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "the manager was never told of {part}; it was told {:?}",
            self.routes()
        );
    }
}

pub(crate) fn source() -> Value {
    json!({
        "id": "S1", "name": "Team wiki", "source_type": "web", "integration_type": "connector",
        "config": { "root_url": "https://wiki.example.com" }, "is_active": true, "is_deleted": false, "scope": "org",
        "user_filter_mode": "all", "user_whitelist": null, "user_blacklist": null, "connector_state": null,
        "checkpoint": null, "sync_interval_seconds": 3600, "created_at": "+002026-08-01T09:00:00.000000000Z",
        "updated_at": "+002026-08-22T04:08:28.123456000Z", "created_by": "U1"
    })
}
