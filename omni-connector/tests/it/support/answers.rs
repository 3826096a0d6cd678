//! What the scripted manager answers: the usual answer, unless a test set another one.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::manager::{Call, Instead, Manager};

pub(super) fn subject(event: &Value) -> String {
    event["document_id"]
        .as_str()
        .or_else(|| event["group_email"].as_str())
        .unwrap_or("?")
        .to_owned()
}

pub(super) async fn give_source(
    State(manager): State<Manager>,
    Path(id): Path<String>,
) -> Response {
    let route = format!("GET /sdk/source/{id}");
    let instead = manager.take_instead(&route);
    match instead {
        Some(Instead::Answer(status, body)) => {
            return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
        }
        Some(Instead::Wait(wait)) => tokio::time::sleep(wait).await,
        _ => {}
    }
    let source = manager.told().source.clone();
    if source["id"] == *id {
        Json(source).into_response()
    } else {
        not_found(&format!("Source not found: {id}"))
    }
}

pub(super) async fn give_credentials(State(manager): State<Manager>) -> Response {
    match manager.told().credentials.clone() {
        Some(credentials) => Json(credentials).into_response(),
        None => not_found("Credentials not found"),
    }
}

fn not_found(error: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
}

pub(super) async fn take(
    State(manager): State<Manager>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let route = format!("{method} {}", uri.path());
    let delay = {
        let mut told = manager.told();
        let (now, most) = told.at_once.entry(route.clone()).or_default();
        *now += 1;
        *most = (*most).max(*now);
        told.delay
    };
    tokio::time::sleep(delay).await;
    let answer = answer(&manager, route.clone(), body).await;
    if let Some((now, _)) = manager.told().at_once.get_mut(&route) {
        *now -= 1;
    }
    answer
}

async fn answer(manager: &Manager, route: String, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let instead = manager.take_instead(&route);
    match instead {
        Some(Instead::Answer(status, body)) => {
            return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
        }
        Some(Instead::Html) => return axum::response::Html("<p>Sign in</p>").into_response(),
        Some(Instead::Wait(wait)) => tokio::time::sleep(wait).await,
        Some(Instead::LoseAnswer) | None => {}
    }
    let mut told = manager.told();
    let events = body["events"].as_array().cloned().unwrap_or_default();
    if events
        .iter()
        .any(|event| told.poison.contains(&subject(event).as_str()))
    {
        return (StatusCode::UNPROCESSABLE_ENTITY, "events[0]: malformed").into_response();
    }
    let count = told.calls.len();
    told.calls.push(Call {
        route: route.clone(),
        body,
    });
    let run = told.run_ids.front().copied().unwrap_or("NEW");
    if route.contains("/sdk/sync/create") {
        told.run_ids.pop_front();
    }
    drop(told);
    if matches!(instead, Some(Instead::LoseAnswer)) {
        // An answer that ends before its announced length looks like a broken connection.
        return Response::builder()
            .header("content-length", "100")
            .body("{".into())
            .unwrap();
    }
    if route.contains("content") {
        return Json(json!({ "content_id": format!("C{count}") })).into_response();
    }
    Json(json!({ "status": "ok", "sync_run_id": run })).into_response()
}
