//! A source that computes its answers from the requests, and records these.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Uri},
    response::Response,
};
use futures_util::stream;
use omni_connector::http::Api;
use serde_json::Value;
use tokio::net::TcpListener;

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The number of earlier requests.
    pub(crate) before: usize,
}

impl Asked {
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.query.get(name)?.parse().ok()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    is_cut: bool,
    delay: Duration,
}

pub(crate) fn reply(status: u16) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: Vec::new(),
        is_cut: false,
        delay: Duration::ZERO,
    }
}

pub(crate) fn json(body: Value) -> Reply {
    reply(200).json(body)
}

impl Reply {
    pub(crate) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn json(self, body: Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Breaks the connection in the middle of the body.
    pub(crate) fn cut(mut self) -> Self {
        self.is_cut = true;
        self
    }

    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Answer = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

impl Source {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            asked: Arc::default(),
        };
        let answer: Answer = Arc::new(answer);
        let router = Router::new()
            .fallback(take)
            .with_state((source.clone(), answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        source
    }

    /// Returns all requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn times(&self) -> usize {
        self.asked().len()
    }

    pub(crate) fn api(&self) -> Api {
        Api::at(&self.url)
    }
}

async fn take(
    State((source, answer)): State<(Source, Answer)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let asked = {
        let mut all = source.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = Asked {
            method,
            path: uri.path().to_owned(),
            query: query.into_owned().collect(),
            headers,
            body,
            before: all.len(),
        };
        all.push(asked.clone());
        asked
    };
    let reply = answer(&asked);
    tokio::time::sleep(reply.delay).await;
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    let body = if reply.is_cut {
        let broken = || std::io::Error::other("the connection breaks");
        Body::from_stream(stream::iter([Ok(reply.body), Err(broken())]))
    } else {
        Body::from(reply.body)
    };
    response.body(body).unwrap()
}
