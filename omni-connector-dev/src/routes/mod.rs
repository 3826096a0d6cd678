//! The manager's routes (`protocol.md` §3). Statuses, bodies and messages equal the real manager's,
//! so that a connector that works here works there. A handler parses, calls a rule and renders; it
//! must never decide anything.

mod body;
mod dev;
mod error;
pub(crate) mod hiding;
mod local;
mod oauth;
mod sdk;
mod web;

use axum::{
    Router,
    extract::FromRef,
    middleware::{from_fn, from_fn_with_state},
};

use crate::{oauth::SignIns, rules::Descriptions, shared::Shared};

/// State of the handlers.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) shared: Shared,
    pub(crate) sign_ins: SignIns,
    pub(crate) descriptions: Descriptions,
}

impl FromRef<App> for Shared {
    fn from_ref(app: &App) -> Self {
        app.shared.clone()
    }
}

impl FromRef<App> for SignIns {
    fn from_ref(app: &App) -> Self {
        app.sign_ins.clone()
    }
}

impl FromRef<App> for Descriptions {
    fn from_ref(app: &App) -> Self {
        app.descriptions.clone()
    }
}

/// Combines all routes with those of a later layer, behind one guard.
pub(crate) fn router(app: App, others: Router<App>) -> Router {
    Router::new()
        .merge(sdk::routes(app.shared.options.extraction.max_input_bytes))
        .merge(web::routes())
        .merge(oauth::routes())
        .merge(dev::routes().route_layer(from_fn_with_state(app.shared.clone(), hiding::guard)))
        .merge(dev::settings_route())
        .merge(others)
        .layer(local::cors())
        .layer(from_fn(local::refuse_other_sites))
        .with_state(app)
}
