//! A manager that gives prepared answers and records the requests.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use omni_connector::{ManagerClient, Patience};
use tokio::net::TcpListener;

/// A request of the client.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

#[derive(Default)]
pub(super) struct Wire {
    pub(super) answer: (u16, Option<String>, String),
    pub(super) sent: Option<Sent>,
}

/// A manager that gives prepared answers.
#[derive(Clone, Default)]
pub(super) struct Parrot(Arc<Mutex<Wire>>);

impl Parrot {
    pub(super) fn with<T>(&self, with: impl FnOnce(&mut Wire) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) async fn start() -> (Self, ManagerClient) {
        let parrot = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(repeat).with_state(parrot.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut patience = Patience::default();
        patience.in_all = Duration::ZERO;
        (parrot, ManagerClient::new(&url).with_patience(patience))
    }
}

async fn repeat(
    State(parrot): State<Parrot>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let content_type = headers
        .get("content-type")
        .map(|value| value.to_str().unwrap().to_owned());
    parrot.with(|wire| {
        wire.sent = Some(Sent {
            method,
            path: uri.path().to_owned(),
            content_type: content_type.unwrap_or_default(),
            body,
        });
        let (status, content_type, body) = wire.answer.clone();
        let status = StatusCode::from_u16(status).unwrap();
        match content_type {
            Some(content_type) => (status, [("content-type", content_type)], body).into_response(),
            None => (status, body).into_response(),
        }
    })
}
