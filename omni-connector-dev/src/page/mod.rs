//! The development page under `/dev`: the store's content and the connector's reports, rendered on the server. It must
//! never decide anything about runs, show a secret, or render content of a document as HTML.
//!
//! The handler of a pane reads its data, and answers with a whole page or with JSON. Every control is a link or a form.

mod actions;
mod answer;
mod checks;
mod compare;
mod contract;
mod diff;
mod document;
mod documents;
mod dry_run;
mod events;
mod exchange;
mod faults;
mod follow;
mod form;
mod frame;
mod kept;
mod kept_test;
mod kills;
mod log;
mod offers;
mod orders;
mod palette;
mod rate;
mod requests;
mod run;
mod sent;
mod sessions;
mod settings;
mod show;
mod source;
mod sync;
mod tree;
mod waterfall;
mod webhooks;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{FromRef, State},
    http::header,
    middleware::from_fn_with_state,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use omni_connector::Manifest;

pub(crate) use follow::follow;
pub(crate) use sessions::Sessions;

use crate::{
    options::Storage,
    rules::{Delivered, Descriptions, Doubt, DryRun},
    shared::Shared,
    store::review::Usage,
};

/// The state of the page's handlers. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    shared: Shared,
    descriptions: Descriptions,
    sessions: Sessions,
    memory: Arc<Mutex<Memory>>,
}

/// In-memory data kept between requests.
#[derive(Debug, Default)]
struct Memory {
    /// Shown once, on the next page.
    notice: Option<Notice>,
    /// The latest answer of each action.
    answers: HashMap<String, actions::Called>,
    /// The latest dry run of each action.
    dry_runs: HashMap<String, DryRun>,
    /// The latest resource, prompt or skill that was fetched.
    fetched: Option<offers::Fetched>,
    /// The latest call that was made once more.
    repeated: Option<exchange::RepeatedCall>,
    /// The latest deliveries to webhooks, newest first.
    deliveries: Vec<Delivered>,
    /// The doubts about a source, with the state of the store at that time.
    doubts: Option<(String, Vec<Doubt>)>,
    /// The usage of attributes, with the state of the store at that time.
    usage: HashMap<String, (String, Usage)>,
    /// The documents of the run that goes on, each time that its pane was asked for.
    samples: rate::Samples,
    /// The registered manifest and the previous one.
    manifests: Option<(Manifest, Option<Manifest>)>,
}

/// The result of a person's request.
#[derive(Debug, Clone)]
struct Notice {
    is_error: bool,
    text: String,
}

impl Page {
    pub(crate) fn new(shared: Shared, descriptions: Descriptions, sessions: Sessions) -> Self {
        Self {
            shared,
            descriptions,
            sessions,
            memory: Arc::default(),
        }
    }

    fn memory<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows a message on the next page.
    fn say(&self, text: impl Into<String>) {
        let text = text.into();
        self.memory(|memory| {
            memory.notice = Some(Notice {
                is_error: false,
                text,
            });
        });
    }

    /// Shows an error on the next page.
    fn show_error(&self, text: impl Into<String>) {
        let text = text.into();
        self.memory(|memory| {
            memory.notice = Some(Notice {
                is_error: true,
                text,
            });
        });
    }
}

impl FromRef<Page> for Shared {
    fn from_ref(page: &Page) -> Self {
        page.shared.clone()
    }
}

/// Returns the routes of the page. They only answer a browser that was opened with a printed address.
pub(crate) fn router<S>(page: Page) -> Router<S> {
    let inside = Router::new()
        .route("/dev/source", get(source::pane).post(settings::save))
        .route("/dev/source/remove", post(settings::remove))
        .route("/dev/source/secret", post(settings::secret))
        .route("/dev/source/sign-out", post(settings::sign_out))
        .route("/dev/sync", get(sync::pane))
        .route("/dev/sync/begin", post(orders::begin))
        .route("/dev/sync/cancel", post(orders::cancel))
        .route("/dev/sync/compare", get(compare::pane))
        .route("/dev/sync/kill", post(kills::kill))
        .route("/dev/sync/try", post(orders::try_again))
        .route("/dev/sync/rewind", post(orders::rewind))
        .route("/dev/sync/doubt", post(orders::dismiss))
        .route("/dev/sync/checkpoint", post(orders::set_checkpoint))
        .route("/dev/bench", post(orders::order))
        .route("/dev/requests", get(requests::pane))
        .route("/dev/requests/fail", post(faults::fail))
        .route("/dev/requests/repeat", post(exchange::repeat))
        .route("/dev/requests/tape", get(exchange::tape))
        .route("/dev/documents", get(documents::pane))
        .route("/dev/actions", get(actions::pane).post(actions::call))
        .route("/dev/actions/offer", post(offers::fetch))
        .route("/dev/actions/webhook", post(webhooks::send))
        .route("/dev/contract", get(contract::pane))
        .route("/dev/contract/manifest", get(contract::file))
        .route("/dev/go", get(palette::go))
        .route("/dev/events", get(events::stream))
        .route_layer(from_fn_with_state(page.clone(), sessions::guard));
    let outside = Router::new()
        .route("/dev", get(enter))
        .route("/dev/assets/page.css", get(style))
        .route("/dev/assets/page.js", get(script))
        .route("/dev/api/page", get(address))
        .route("/dev/api/about", get(about))
        .route("/dev/api/runs/{id}/keep", post(follow::keep_now));
    inside.merge(outside).with_state(page)
}

/// Admits a browser with the token of a printed address, and redirects it to the first useful pane.
async fn enter(State(page): State<Page>, request: axum::extract::Request) -> Response {
    let token = request
        .uri()
        .query()
        .and_then(|query| query.strip_prefix("t="));
    let cookie = match token {
        Some(token) => page.sessions.admit(token),
        None => None,
    };
    if cookie.is_none() && !page.sessions.includes(request.headers()) {
        return sessions::closed();
    }
    let has_sources = !crate::rules::listed(&page.shared)
        .await
        .unwrap_or_default()
        .is_empty();
    let first = if has_sources {
        "/dev/sync"
    } else {
        "/dev/source"
    };
    let mut answer = Redirect::to(first).into_response();
    if let Some(cookie) = cookie {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    sessions::harden(&mut answer);
    answer
}

/// Answers with a new address of the page, for a program that prints or opens it.
async fn address(State(page): State<Page>) -> axum::Json<serde_json::Value> {
    axum::Json(serde_json::json!({ "path": page.sessions.path() }))
}

/// Answers with the identity of this manager, so that a command recognises the one of its store.
async fn about(State(page): State<Page>) -> axum::Json<serde_json::Value> {
    let store = match &page.shared.options.storage {
        Storage::Folder(folder) => folder.canonicalize().ok(),
        Storage::Memory => None,
    };
    axum::Json(serde_json::json!({ "version": env!("CARGO_PKG_VERSION"), "store": store }))
}

async fn style() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("assets/page.css"))
}

async fn script() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (kind, include_str!("assets/page.js"))
}
