//! The manager's routes (`protocol.md` §3): statuses, bodies and texts are those of the real manager, so that a connector
//! that works here works there. Handlers decide nothing about runs; they translate.

pub(crate) mod body;
pub(crate) mod error;
mod sdk;
mod web;

use axum::Router;
use tower_http::cors::{Any, CorsLayer};

use crate::manager::Shared;

/// All routes.
pub(crate) fn router(shared: Shared) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(Any)
        .allow_headers(Any)
        .expose_headers(Any);
    Router::new()
        .merge(sdk::routes(shared.options.extraction.max_input_bytes))
        .merge(web::routes())
        .layer(cors)
        .with_state(shared)
}
