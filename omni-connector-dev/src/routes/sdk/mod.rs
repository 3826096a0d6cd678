//! Routes for connectors (`protocol.md` §3.2).

mod content;
mod events;
mod extract;
mod progress;
mod register;
mod source;
mod start;

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    routing::{get, post, put},
};
use serde_json::{Value, json};

use super::App;

/// Bytes allowed in a form in addition to its file.
const FORM_BYTES: usize = 1 << 20;

/// Returns the longest form for a file of that length.
fn form_bytes(max_input_bytes: usize) -> usize {
    max_input_bytes.saturating_add(FORM_BYTES)
}

pub(super) fn routes(max_input_bytes: usize) -> Router<App> {
    let form_limit = DefaultBodyLimit::max(form_bytes(max_input_bytes));
    Router::new()
        .route("/sdk/register", post(register::register))
        .route("/sdk/events", post(events::one))
        .route("/sdk/events/batch", post(events::batch))
        .route("/sdk/content", post(content::store))
        .route(
            "/sdk/extract-content",
            post(extract::stored).layer(form_limit),
        )
        .route(
            "/sdk/extract-text",
            post(extract::returned).layer(form_limit),
        )
        .route("/sdk/sync/create", post(start::create))
        .route("/sdk/sync/cancel", post(progress::cancel))
        .route(
            "/sdk/sync/{sync_run_id}/heartbeat",
            post(progress::heartbeat),
        )
        .route("/sdk/sync/{sync_run_id}/scanned", post(progress::scanned))
        .route("/sdk/sync/{sync_run_id}/updated", post(progress::updated))
        .route(
            "/sdk/sync/{sync_run_id}/checkpoint",
            put(progress::checkpoint),
        )
        .route("/sdk/sync/{sync_run_id}/complete", post(progress::complete))
        .route("/sdk/sync/{sync_run_id}/fail", post(progress::fail))
        .route("/sdk/webhook/notify", post(start::webhook))
        .route("/sdk/source/{source_id}", get(source::source))
        .route(
            "/sdk/source/{source_id}/sync-config",
            get(source::sync_config),
        )
        .route(
            "/sdk/source/{source_id}/user-email",
            get(source::user_email),
        )
        .route(
            "/sdk/source/{source_id}/connector-state",
            put(source::put_connector_state),
        )
        .route("/sdk/credentials/{source_id}", get(source::credentials))
        .route("/sdk/sources/by-type/{source_type}", get(source::by_type))
        .route(
            "/sdk/connector-configs/{provider}",
            get(source::connector_config),
        )
}

/// `{"status":"ok"}`
fn ok() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
