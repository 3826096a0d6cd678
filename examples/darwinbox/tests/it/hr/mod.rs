//! The HR system, in this process: its real manners (envelopes, pages, limits, dates) over a company of five.

mod company;
mod endpoints;

use std::sync::{Arc, Mutex, MutexGuard};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use omni_connector::prelude::*;
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) use company::{Company, employee};
use endpoints::Answer;

/// `darwin:s3cret`, as HTTP's basic authentication has it.
const AUTHORIZATION: &str = "Basic ZGFyd2luOnMzY3JldA==";

/// How calls can go wrong, whatever they ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    Down,
    /// Status 200, and an error that says nothing.
    Fails,
    /// For this many calls, with this header.
    Busy {
        calls: usize,
        retry_after: &'static str,
    },
    KeyRevoked,
}

/// The running system.
pub(crate) struct Hr {
    pub(crate) url: String,
    shared: Shared,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<(Company, Option<Trouble>)>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, (Company, Option<Trouble>)> {
        self.0.lock().unwrap()
    }
}

impl Hr {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Shared(Arc::new(Mutex::new((Company::new(), None))));
        let routes = Router::new()
            .route("/api/{*endpoint}", post(answer))
            .with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self {
            url: format!("{url}/api"),
            shared,
            server,
        }
    }

    /// Changes something at the company, a minute later.
    pub(crate) fn later(&self, change: impl FnOnce(&mut Company)) {
        let mut shared = self.shared.lock();
        shared.0.minute += 1;
        change(&mut shared.0);
    }

    pub(crate) fn is_in(&self, trouble: impl Into<Option<Trouble>>) {
        self.shared.lock().1 = trouble.into();
    }

    /// How often an endpoint was asked, also in vain.
    pub(crate) fn calls(&self, endpoint: &str) -> usize {
        let shared = self.shared.lock();
        shared
            .0
            .calls
            .iter()
            .filter(|call| *call == endpoint)
            .count()
    }
}

impl Drop for Hr {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(shared): State<Shared>,
    Path(endpoint): Path<String>,
    headers: HeaderMap,
    Json(query): Json<Value>,
) -> Response {
    let mut shared = shared.lock();
    let (company, trouble) = &mut *shared;
    company.calls.push(endpoint.clone());
    if headers
        .get(header::AUTHORIZATION)
        .is_none_or(|given| given != AUTHORIZATION)
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match trouble {
        Some(Trouble::Down) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Trouble::KeyRevoked) => return StatusCode::UNAUTHORIZED.into_response(),
        Some(Trouble::Fails) => {
            let failed = json!({ "status": 0, "message": "Something went wrong", "data": [] });
            return Json(failed).into_response();
        }
        Some(Trouble::Busy {
            calls: calls @ 1..,
            retry_after,
        }) => {
            *calls -= 1;
            let headers = [(header::RETRY_AFTER, *retry_after)];
            return (StatusCode::TOO_MANY_REQUESTS, headers).into_response();
        }
        Some(Trouble::Busy { calls: 0, .. }) | None => {}
    }
    match endpoints::ask(company, &endpoint, &query) {
        Answer::Data(data) => {
            Json(json!({ "status": 1, "message": "OK", "data": data })).into_response()
        }
        Answer::List(all) => Json(page(company, all, &query)).into_response(),
        Answer::File(bytes) => ([(header::CONTENT_TYPE, "application/pdf")], bytes).into_response(),
        Answer::Refused(code, message) => {
            let refused =
                json!({ "status": 0, "error_code": code, "message": message, "data": [] });
            Json(refused).into_response()
        }
    }
}

/// However many are asked for, two come at a time.
fn page(company: &Company, all: Vec<Value>, query: &Value) -> Value {
    let start = query["page_token"].as_str().map_or(0, |token| {
        token.strip_prefix("after-").unwrap().parse().unwrap()
    });
    let end = (start + 2).min(all.len());
    let next = (end < all.len()).then(|| format!("after-{end}"));
    json!({
        "status": 1, "message": "OK", "data": all[start..end], "next_page_token": next, "as_of": company.now(),
    })
}
