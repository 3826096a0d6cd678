//! The manager's routes (`protocol.md` §3): statuses, bodies and texts are those of the real manager, so that a connector
//! that works here works there. Handlers decide nothing about runs; they translate.

pub(crate) mod body;
pub(crate) mod error;
mod local;
mod sdk;
mod web;

use axum::{Router, middleware::from_fn};

use crate::manager::Shared;

/// All routes.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .merge(sdk::routes(shared.options.extraction.max_input_bytes))
        .merge(web::routes())
        .layer(local::cors())
        .layer(from_fn(local::refuse_other_names))
        .with_state(shared)
}
