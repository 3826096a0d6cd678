//! Routes for the web app and the AI service (`protocol.md` §3.9), and for whoever drives the manager by hand.

mod action;
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
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "healthy" }))
}
