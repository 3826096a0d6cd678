//! A manager that reads every request, waits, and answers without an effect. It is a separate process with one thread.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use serde_json::json;
use tokio::net::TcpListener;

use crate::data::{CONTENT, NULL_RUN};

/// The settings of the answers.
#[derive(Clone)]
struct Answers {
    delay: Duration,
    source: Arc<str>,
}

/// Prints its address and serves until it is killed. With a folder, its source is that folder, for the filesystem
/// example.
pub(crate) fn serve(delay: Duration, folder: Option<&str>) -> Result<()> {
    let answers = Answers {
        delay,
        source: source(folder).to_string().into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(answer).with_state(answers);
        axum::serve(listener, router).await?;
        Ok(())
    })
}

async fn answer(State(Answers { delay, source }): State<Answers>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(_)) = body.next().await {}
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let body = match path.split('/').nth(2) {
        Some("content" | "extract-content") => format!(r#"{{"content_id":"{CONTENT}"}}"#),
        Some("source") => source.to_string(),
        Some("credentials") => {
            return (axum::http::StatusCode::NOT_FOUND, r#"{"error":"none"}"#).into_response();
        }
        _ => r#"{"status":"ok"}"#.to_owned(),
    };
    let mut response = Response::new(Body::from(body));
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn source(folder: Option<&str>) -> serde_json::Value {
    let (source_type, config) = match folder {
        Some(folder) => ("local_files", json!({ "base_path": folder })),
        None => ("web", json!({})),
    };
    json!({
        "id": NULL_RUN.source, "name": "null", "source_type": source_type, "integration_type": "connector", "config": config,
        "is_active": true, "is_deleted": false, "scope": "org", "user_filter_mode": "all", "user_whitelist": null,
        "user_blacklist": null, "connector_state": null, "checkpoint": null, "sync_interval_seconds": null,
        "created_at": "2026-08-01T09:00:00Z", "updated_at": "2026-08-01T09:00:00Z", "created_by": "U1"
    })
}
