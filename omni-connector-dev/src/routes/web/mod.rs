//! Routes for the web app, the AI service (`protocol.md` §3.9) and people who call the manager
//! directly.

mod action;
mod catalog;
mod mcp;
mod progress;
mod sources;
mod sync;

use axum::{
    Json, Router,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::App;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/health", get(health))
        .route("/action", post(action::call))
        .route("/sync", post(sync::trigger))
        .route("/sync/{id}", post(sync::trigger_full))
        .route("/sync/{id}/cancel", post(sync::cancel))
        .route("/sync/{id}/progress", get(progress::stream))
        .route("/schedules", get(sources::schedules))
        .route("/sources", get(sources::all))
        .route("/sources/active", get(sources::active))
        .route("/sources/{id}", get(sources::one))
        .route(
            "/remote-mcp/{id}/refresh",
            post(sources::refresh_remote_mcp),
        )
        .route("/connectors", get(catalog::connectors))
        .route("/actions", get(catalog::actions))
        .route("/resources", get(catalog::resources))
        .route("/prompts", get(catalog::prompts))
        .route("/skills", get(catalog::skills))
        .route("/resource", post(mcp::resource))
        .route("/prompt", post(mcp::prompt))
        .route("/skill", post(mcp::skill))
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "healthy" }))
}
