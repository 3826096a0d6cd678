//! The development page under `/dev`: what is in the store and what the connector reports, rendered on the server. It decides
//! nothing about runs, shows no secret, and never renders anything of a document as HTML.
//!
//! Each pane is one handler: it reads, and answers as a whole page or as JSON. Every control is a link or a form.

mod actions;
mod answer;
mod contract;
mod diff;
mod document;
mod documents;
mod door;
mod events;
mod faults;
mod follow;
mod form;
mod frame;
mod kept;
mod orders;
mod requests;
mod run;
mod sent;
mod settings;
mod show;
mod source;
mod sync;
mod waterfall;

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

pub(crate) use door::Door;

use crate::{
    options::Storage,
    rules::{Descriptions, Doubt},
    shared::Shared,
    store::review::Usage,
};

/// What the handlers of the page are given. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    shared: Shared,
    descriptions: Descriptions,
    door: Door,
    memory: Arc<Mutex<Memory>>,
}

/// What the page remembers between two requests.
#[derive(Debug, Default)]
struct Memory {
    /// Said once, on the next page.
    notice: Option<Notice>,
    /// The last answer of each action.
    answers: HashMap<String, actions::Called>,
    /// The doubts about a source, with the state of the store that they are about.
    doubts: Option<(String, Vec<Doubt>)>,
    /// How documents use an attribute, with the state of the store.
    usage: HashMap<String, (String, Usage)>,
    /// The manifest that is registered, and the one before.
    manifests: Option<(Manifest, Option<Manifest>)>,
}

/// What came of something that a person asked for.
#[derive(Debug, Clone)]
struct Notice {
    is_error: bool,
    text: String,
}

impl Page {
    pub(crate) fn new(shared: Shared, descriptions: Descriptions, door: Door) -> Self {
        Self {
            shared,
            descriptions,
            door,
            memory: Arc::default(),
        }
    }

    fn memory<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says something on the next page.
    fn say(&self, text: impl Into<String>) {
        let text = text.into();
        self.memory(|memory| {
            memory.notice = Some(Notice {
                is_error: false,
                text,
            });
        });
    }

    /// Says what went wrong on the next page.
    fn complain(&self, text: impl Into<String>) {
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

/// The routes of the page. They answer a browser that came with the address that the command printed, and nobody else.
pub(crate) fn router<S>(page: Page) -> Router<S> {
    let inside = Router::new()
        .route("/dev/source", get(source::pane).post(settings::save))
        .route("/dev/source/remove", post(settings::remove))
        .route("/dev/source/secret", post(settings::secret))
        .route("/dev/sync", get(sync::pane))
        .route("/dev/sync/begin", post(orders::begin))
        .route("/dev/sync/cancel", post(orders::cancel))
        .route("/dev/sync/rewind", post(orders::rewind))
        .route("/dev/sync/checkpoint", post(orders::set_checkpoint))
        .route("/dev/bench", post(orders::order))
        .route("/dev/requests", get(requests::pane))
        .route("/dev/requests/fail", post(faults::fail))
        .route("/dev/documents", get(documents::pane))
        .route("/dev/actions", get(actions::pane).post(actions::call))
        .route("/dev/contract", get(contract::pane))
        .route("/dev/events", get(events::stream))
        .route_layer(from_fn_with_state(page.clone(), door::guard));
    let outside = Router::new()
        .route("/dev", get(enter))
        .route("/dev/assets/page.css", get(style))
        .route("/dev/assets/page.js", get(script))
        .route("/dev/api/page", get(address))
        .route("/dev/api/about", get(about))
        .route("/dev/api/runs/{id}/keep", post(follow::keep_now));
    inside.merge(outside).with_state(page)
}

/// Lets a browser in that has the token of a printed address, then leads to the first pane of use.
async fn enter(State(page): State<Page>, request: axum::extract::Request) -> Response {
    let token = request
        .uri()
        .query()
        .and_then(|query| query.strip_prefix("t="));
    let cookie = match token {
        Some(token) => page.door.admit(token),
        None => None,
    };
    if cookie.is_none() && !page.door.knows(request.headers()) {
        return door::closed();
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
    door::harden(&mut answer);
    answer
}

/// A new address of the page, for a program that prints or opens it.
async fn address(State(page): State<Page>) -> axum::Json<serde_json::Value> {
    axum::Json(serde_json::json!({ "path": page.door.path() }))
}

/// Which manager this is, so that a command knows the one of its own store.
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

pub(crate) use follow::follow;
