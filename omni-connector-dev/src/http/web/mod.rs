//! Routes for the web app and the AI service (`protocol.md` §3.9), and for whoever drives the manager by hand.

mod action;
mod catalog;
mod mcp;
mod oauth;
mod oauth_flow;
mod progress;
mod sources;
mod sync;

use axum::{
    Json, Router,
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::manager::Shared;

pub(super) fn routes() -> Router<Shared> {
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
        .route("/api/oauth/start", get(oauth_flow::start))
        .route("/api/oauth/callback", get(oauth_flow::callback))
        .route("/oauth/credential-ready", post(oauth::credential_ready))
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "healthy" }))
}
