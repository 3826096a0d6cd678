//! A source that gives and repeats secrets in every way, for tests of recordings.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The number of entries.
pub(crate) const ENTRIES: u64 = 6;

/// How the source behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Entries are answered in their order.
    InOrder,
    /// Entries are answered in the opposite order.
    Reversed,
    /// Files are not text, and repeat the key.
    Binary,
}

/// Starts it.
pub(crate) async fn start(manner: Manner) -> String {
    let router = Router::new()
        .route("/token", post(token))
        .route("/search", post(search))
        .route("/entries/{id}", get(entry))
        .route("/files/{id}", get(file))
        .with_state(manner);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn token(form: String) -> Result<Json<Value>, StatusCode> {
    if !form.contains("client_secret=canary-client%2Fsecret") {
        return Err(StatusCode::UNAUTHORIZED);
    }
    Ok(Json(json!({
        "access_token": "canary-access-token", "refresh_token": "canary-refresh-token",
        "token_type": "Bearer", "expires_in": 3600, "instance": "canary-instance",
    })))
}

fn signed_in(headers: &HeaderMap) -> Result<(), StatusCode> {
    let bearer = headers
        .get("authorization")
        .map(axum::http::HeaderValue::as_bytes);
    if bearer == Some(b"Bearer canary-access-token") {
        Ok(())
    } else {
        Err(StatusCode::UNAUTHORIZED)
    }
}

async fn search(
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<([(&'static str, &'static str); 1], Json<Value>), StatusCode> {
    signed_in(&headers)?;
    if body["password"] != "canary-password" {
        return Err(StatusCode::FORBIDDEN);
    }
    let ids: Vec<_> = (0..ENTRIES)
        .map(|number| format!("entry-{number}"))
        .collect();
    let found = json!({
        "ids": ids, "session_id": "canary-session", "hook": "called with canary-webhook",
        "you": format!("password={}", body["password"]),
    });
    Ok(([("set-cookie", "sid=canary-cookie; HttpOnly")], Json(found)))
}

async fn entry(
    State(manner): State<Manner>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    signed_in(&headers)?;
    let number: u64 = id.trim_start_matches("entry-").parse().unwrap();
    let place = if manner == Manner::Reversed {
        ENTRIES - number
    } else {
        number
    };
    tokio::time::sleep(Duration::from_millis(place * 40)).await;
    let mut entry = json!({ "title": format!("Entry {number}"), "cookie": "canary-cookie",
        "link": format!("https://files.example.com/f?signature=canary-{number}&v=1") });
    // A secret that another answer gave, in another spelling.
    entry["token was"] = "Y2FuYXJ5LWFjY2Vzcy10b2tlbg==".into();
    Ok(Json(entry))
}

async fn file(
    State(manner): State<Manner>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Vec<u8>, StatusCode> {
    if query.as_deref() != Some("key=canary-key") {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let mut file = format!("The file of {id}, read with canary-key.").into_bytes();
    if manner == Manner::Binary {
        file.push(0xff);
    }
    Ok(file)
}
