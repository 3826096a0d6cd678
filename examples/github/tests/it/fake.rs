//! A GitHub that is small and has a state. It passes each request to a plan, which may change the state and break the answer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode, Uri},
    routing::any,
};
use omni_connector::prelude::*;
use tokio::net::TcpListener;

use crate::{
    lists::{Reply, graphql, reply, rest},
    world::World,
};

pub(crate) const TOKEN: &str = "ghp_secret";

/// What a fault does to a request.
#[derive(Clone)]
pub(crate) enum Fault {
    Status(u16, &'static [(&'static str, &'static str)], &'static str),
    Html,
    /// The answer breaks off in the middle.
    Cut,
    GraphqlError(&'static str),
}

/// Sees every request, may change the world, and decides what becomes of the answer.
pub(crate) type Plan = Box<dyn FnMut(&str, &mut World) -> Option<Fault> + Send>;

#[derive(Clone)]
pub(crate) struct Fake {
    world: Arc<Mutex<World>>,
    pub(crate) url: String,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v3", listener.local_addr().unwrap());
        let fake = Self {
            world: Arc::default(),
            url,
        };
        fake.world().emails = BTreeMap::from([
            ("ann".to_owned(), Some("Ann@Example.com".to_owned())),
            ("bo".to_owned(), None),
        ]);
        fake.world()
            .verified
            .insert("bo".to_owned(), "bo@acme.example".to_owned());
        let app = Router::new().fallback(any(answer)).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The requests since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.world().log)
    }

    pub(crate) fn fail(
        &self,
        plan: impl FnMut(&str, &mut World) -> Option<Fault> + Send + 'static,
    ) {
        self.world().plan = Some(Box::new(plan));
    }

    pub(crate) fn works_again(&self) {
        self.world().plan = None;
    }
}

async fn answer(
    State(fake): State<Fake>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut world = fake.world();
    let path = uri
        .path()
        .trim_start_matches("/api")
        .trim_start_matches("/v3")
        .to_owned();
    let query = uri.query().unwrap_or_default();
    let entry = if path == "/graphql" {
        let asked: Value = serde_json::from_slice(&body).unwrap();
        format!(
            "graphql {} {}",
            asked["variables"],
            asked["query"].as_str().unwrap()
        )
    } else {
        format!("{path}?{query}")
    };
    world.log.push(entry.clone());
    let token = headers
        .get("authorization")
        .map_or("", |it| it.to_str().unwrap());
    world.tokens.push(token.to_owned());
    let mut plan = world.plan.take();
    let fault = plan.as_mut().and_then(|plan| plan(&entry, &mut world));
    if world.plan.is_none() {
        world.plan = plan;
    }
    let date = OffsetDateTime::from_unix_timestamp(1_767_225_600 + world.seconds).unwrap();
    let date = date
        .format(&time::format_description::well_known::Rfc2822)
        .unwrap()
        .replace("+0000", "GMT");
    let mut response = Response::builder()
        .header("date", date)
        .header("content-type", "application/json; charset=utf-8");
    let Reply {
        mut status,
        headers: more,
        body: mut found,
    } = if token != format!("Bearer {TOKEN}") {
        Reply {
            status: StatusCode::UNAUTHORIZED,
            ..reply(json!({ "message": "Bad credentials" }))
        }
    } else if path == "/graphql" {
        graphql(&world, &serde_json::from_slice(&body).unwrap())
    } else {
        let url = format!("{}{path}", fake.url);
        let query = Url::parse(&format!("http://fake/?{query}"))
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect();
        rest(&world, &fake.url, &url, &path, &query)
    };
    if path == "/user/repos"
        && let Some(hidden) = world.hidden.take()
    {
        found
            .as_array_mut()
            .unwrap()
            .retain(|repo| repo["full_name"] != *hidden);
    }
    for (name, value) in more {
        response = response.header(name, value);
    }
    let mut bytes = found.to_string().into_bytes();
    match fault {
        None => {}
        Some(Fault::Status(code, headers, message)) => {
            status = StatusCode::from_u16(code).unwrap();
            found = json!({ "message": message });
            bytes = found.to_string().into_bytes();
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
        }
        Some(Fault::Html) => {
            bytes = b"<html><title>Unicorn!</title></html>".to_vec();
            response = Response::builder().header("content-type", "text/html");
        }
        Some(Fault::Cut) => bytes.truncate(bytes.len() / 2),
        Some(Fault::GraphqlError(kind)) => {
            bytes = json!({ "data": { "repository": null }, "errors": [{ "type": kind, "message": "Something went wrong" }] })
                .to_string()
                .into_bytes();
        }
    }
    response.status(status).body(bytes.into()).unwrap()
}
