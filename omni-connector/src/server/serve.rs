//! The server of a connector: routes, registration and shutdown.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, bail};
use axum::{
    Extension, Json, Router, ServiceExt,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    App, Runner, ServerConfig, action, door::Door, guard::Guard, mcp, oauth, pulse::Pulse,
    registration, shutdown, sync, webhook,
};
use crate::{
    connector::ErasedConnector,
    http::recorded_tape,
    manager::ManagerClient,
    redact::{are_requests_kept, are_secrets_kept},
    run::Runs,
    schema::{Severity, check},
    wire::Manifest,
};
use futures_util::future::BoxFuture;

/// Serves until a signal arrives or `shutdown` completes.
pub(crate) async fn listen(
    connector: Arc<dyn ErasedConnector>,
    config: ServerConfig,
    extra: Router,
    shutdown: Option<BoxFuture<'static, ()>>,
) -> Result<()> {
    let address = SocketAddr::new(config.listen, config.port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}\nhelp: set `PORT` to a free port, or stop what listens there")
    })?;
    // Port 0 lets the system choose; the manager needs the actual port.
    let address = listener.local_addr()?;
    let config = ServerConfig {
        port: address.port(),
        ..config
    };
    let app = Arc::new(App {
        connector: Arc::clone(&connector),
        manager: ManagerClient::new(&config.manager_url).with_patience(config.patience),
        runs: Runs::default(),
        connector_url: config.connector_url().into(),
        max_body_bytes: config.max_body_bytes,
    });
    tracing::info!(connector = app.connector.name(), %address, "listening");
    let (runs, door) = (app.runs.clone(), door(Arc::clone(&app), &config, extra));
    let ended: BoxFuture<'static, ()> = match shutdown {
        Some(asked) => Box::pin(shutdown::after(asked, runs, connector, config.grace)),
        None => Box::pin(shutdown::after_signal(runs, connector, config.grace)),
    };
    let _pulse = Pulse::begin();
    let server = axum::serve(listener, door.into_make_service());
    tokio::select! {
        stopped = server.into_future() => stopped.context("the server stopped"),
        () = registration::keep_registered(app) => Ok(()),
        () = ended => Ok(()),
    }
}

/// Refuses a connector that Omni would refuse every 30 s without an explanation, or that has a part that can never work.
pub(crate) fn look_over(connector: &dyn ErasedConnector, config: &ServerConfig) -> Result<()> {
    let manifest = connector.manifest(&config.connector_url());
    let mut refused = Vec::new();
    for problem in check(&manifest) {
        match problem.severity {
            Severity::Error => refused.push(problem.to_string()),
            Severity::Warning => tracing::warn!("{problem}"),
        }
    }
    if !refused.is_empty() {
        bail!(
            "connector `{}` cannot work as it is declared\n{}",
            manifest.name,
            refused.join("\n")
        );
    }
    webhook::look_over(connector)
}

/// Builds the routes of the protocol (§2.1) and the run report, behind the door.
fn door(app: Arc<App>, config: &ServerConfig, extra: Router) -> Door {
    let runner = Runner::new(Arc::clone(&app), config.webhook_window);
    let webhooks = webhook::router(&app, &runner);
    let guard = Guard {
        token: config.token.clone(),
        enrich_path: oauth::enrich_path(&*app.connector),
    };
    let router = Router::new()
        .route("/health", get(health))
        .route("/manifest", get(manifest))
        .route("/metrics", get(metrics))
        .route("/sync", post(sync::start))
        .route("/sync/{sync_run_id}", get(sync::probe))
        .route("/sync/{sync_run_id}/report", get(sync::report))
        .route("/sync/{sync_run_id}/requests/{after}", get(sync::requests))
        .route("/cancel", post(sync::cancel))
        .route("/action", post(action::call))
        .route("/resource", post(mcp::resource))
        .route("/prompt", post(mcp::prompt))
        .route("/skill", post(mcp::skill))
        .route("/oauth/credential-ready", post(oauth::credential_ready))
        .merge(of_development())
        .merge(oauth::enrich(guard.enrich_path.as_deref()))
        .with_state(app)
        .merge(webhooks)
        .fallback_service(
            extra
                .layer(Extension(runner))
                .layer(DefaultBodyLimit::max(config.max_body_bytes)),
        );
    Door::new(router, guard)
}

/// Routes of a process that `cargo omni` or a test started.
fn of_development() -> Router<Arc<App>> {
    let mut router = Router::new();
    if are_requests_kept() {
        router = router
            .route("/dev/faults", post(sync::plan_fault))
            .route("/dev/repeat", post(sync::repeat))
            .route("/dev/dry-run", post(action::dry_run))
            .route("/dev/webhooks", get(webhooks));
    }
    if are_secrets_kept() {
        router = router.route("/dev/tape", get(tape));
    }
    router
}

/// Returns the paths of the connector's webhooks, which the manifest does not have.
async fn webhooks(State(app): State<Arc<App>>) -> Json<Vec<&'static str>> {
    Json(app.connector.webhooks())
}

/// Returns what the process has recorded.
async fn tape(State(app): State<Arc<App>>) -> Response {
    match recorded_tape(app.connector.name()) {
        Some(Ok(tape)) => tape.into_response(),
        Some(Err(problem)) => (StatusCode::CONFLICT, problem).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn health(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "status": "healthy", "service": format!("{}-connector", app.connector.name()) }))
}

async fn manifest(State(app): State<Arc<App>>) -> Json<Manifest> {
    Json(app.manifest())
}

async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let (connector, version) = (app.connector.name(), app.connector.version());
    let text = app.manager.metrics().text(connector, version);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
