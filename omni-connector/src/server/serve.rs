//! Starting and ending the process of a connector.

use std::{env, io, net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, bail};
use axum::{
    Extension, Json, Router, ServiceExt,
    extract::{DefaultBodyLimit, State},
    http::header,
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    App, ServerConfig, action, door::Door, guard::Guard, mcp, oauth, registration, shutdown, sync,
    webhook, webhook::Runner,
};
use crate::{
    connector::{Connector, ErasedConnector},
    manager::ManagerClient,
    mcp::{Bridge, serve_mcp},
    panic,
    run::Runs,
    schema::{Severity, check},
    telemetry,
    wire::Manifest,
};
use futures_util::future::BoxFuture;

/// What a connector's `main` calls: serves, or does what the command line asks for.
///
/// | arguments | what happens |
/// |---|---|
/// | none, or `serve` | [`serve`] |
/// | `manifest` | prints the manifest as JSON and ends |
/// | `mcp` | serves the actions as MCP tools over standard input and output; `mcp --help` says more. Needs the feature `mcp` |
///
/// # Errors
/// As [`serve`], and arguments that are none of these.
pub async fn run<C: Connector>(connector: C) -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["serve"] => serve(connector).await,
        ["manifest"] => print_manifest(Arc::new(connector)),
        ["mcp", ..] => {
            let _telemetry = telemetry::start(connector.name(), connector.version());
            serve_mcp(Arc::new(connector), &arguments[1..]).await
        }
        _ => bail!(
            "unknown arguments `{}`\nhelp: use `serve` (the default), `manifest` or `mcp`",
            arguments.join(" ")
        ),
    }
}

/// Serves a connector with the settings in the environment: `CONNECTOR_MANAGER_URL`, `CONNECTOR_HOST_NAME`, `PORT`.
///
/// After SIGTERM or SIGINT no further run is taken. Runs see [`is_cancelled`](crate::SyncContext::is_cancelled) and have
/// [`grace`](ServerConfig::grace) to reach a checkpoint and return; what they hold is handed over, and the manager resumes
/// them. This returns at most two seconds after the grace; when a run blocks its thread by then, the process ends with status
/// 0 instead. A second signal ends it so at once.
///
/// # Errors
/// A variable that is missing or wrong, a port that cannot be listened on.
pub async fn serve<C: Connector>(connector: C) -> Result<()> {
    serve_with_config(connector, ServerConfig::from_env()?).await
}

/// [`serve`] with settings of one's own.
///
/// # Errors
/// A port that cannot be listened on.
pub async fn serve_with_config<C: Connector>(connector: C, config: ServerConfig) -> Result<()> {
    serve_erased(Arc::new(connector), config, Router::new(), None).await
}

/// [`serve_with_config`] until `shutdown` ends, instead of until a signal. The process itself is never ended by this.
///
/// # Errors
/// A port that cannot be listened on.
pub async fn serve_with_shutdown<C: Connector>(
    connector: C,
    config: ServerConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let shutdown = Some(Box::pin(shutdown) as BoxFuture<'static, ()>);
    serve_erased(Arc::new(connector), config, Router::new(), shutdown).await
}

/// [`serve`] with routes beside the protocol's, the protocol winning where both have one.
///
/// # Errors
/// As [`serve`].
pub async fn serve_with_extra_routes<C: Connector>(connector: C, routes: Router) -> Result<()> {
    serve_erased(Arc::new(connector), ServerConfig::from_env()?, routes, None).await
}

fn print_manifest(connector: Arc<dyn ErasedConnector>) -> Result<()> {
    let config = ServerConfig::from_env();
    let url = config.as_ref().map_or_else(
        |_| "http://localhost".to_owned(),
        ServerConfig::connector_url,
    );
    let config = config.unwrap_or_else(|_| ServerConfig::new("", "", 0));
    let mut manifest = connector.manifest(&url);
    if let Some(bridge) = Bridge::of(&connector, &config) {
        bridge.complete(&mut manifest);
    }
    serde_json::to_writer_pretty(io::stdout().lock(), &manifest)?;
    println!();
    Ok(())
}

/// Everything below knows no connector's type, so it is compiled once.
async fn serve_erased(
    connector: Arc<dyn ErasedConnector>,
    config: ServerConfig,
    extra: Router,
    shutdown: Option<BoxFuture<'static, ()>>,
) -> Result<()> {
    let telemetry = telemetry::start(connector.name(), connector.version());
    panic::note_places();
    let served = listen(connector, config, extra, shutdown).await;
    telemetry.end().await;
    served
}

async fn listen(
    connector: Arc<dyn ErasedConnector>,
    config: ServerConfig,
    extra: Router,
    shutdown: Option<BoxFuture<'static, ()>>,
) -> Result<()> {
    let address = SocketAddr::new(config.listen, config.port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}\nhelp: set `PORT` to a free port, or stop what listens there")
    })?;
    // Port 0 asks the system for one; the manager must be told which.
    let address = listener.local_addr()?;
    let config = ServerConfig {
        port: address.port(),
        ..config
    };
    let bridge = Bridge::of(&connector, &config);
    if let Some(bridge) = &bridge {
        bridge.start();
    }
    let app = App {
        bridge: bridge.clone(),
        connector,
        manager: ManagerClient::new(&config.manager_url).with_patience(config.patience),
        runs: Runs::default(),
        connector_url: config.connector_url().into(),
        max_body_bytes: config.max_body_bytes,
    };
    // Without what a server said of itself: nobody here can mend that.
    look_over(&app.connector.manifest(&app.connector_url))?;
    webhook::look_over(&*app.connector)?;
    tracing::info!(connector = app.connector.name(), %address, "listening");
    let (runs, door) = (app.runs.clone(), door(app.clone(), &config, extra));
    let ended: BoxFuture<'static, ()> = match shutdown {
        Some(asked) => Box::pin(shutdown::after(asked, runs, bridge, config.grace)),
        None => Box::pin(shutdown::after_signal(runs, bridge, config.grace)),
    };
    let server = axum::serve(listener, door.into_make_service());
    tokio::select! {
        stopped = server.into_future() => stopped.context("the server stopped"),
        () = registration::keep_registered(app) => Ok(()),
        () = ended => Ok(()),
    }
}

/// Refuses a manifest that Omni would refuse, or a part of which could never work: every 30 s, and nobody would say why.
fn look_over(manifest: &Manifest) -> Result<()> {
    let mut refused = Vec::new();
    for problem in check(manifest) {
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
    Ok(())
}

/// The routes of the protocol (§2.1), and the report of a run, behind the door.
fn door(app: App, config: &ServerConfig, extra: Router) -> Door {
    let runner = Runner::new(app.clone(), config.webhook_window);
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
        .route("/cancel", post(sync::cancel))
        .route("/action", post(action::call))
        .route("/resource", post(mcp::resource))
        .route("/prompt", post(mcp::prompt))
        .route("/skill", post(mcp::skill))
        .route("/oauth/credential-ready", post(oauth::credential_ready))
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

async fn health(State(app): State<App>) -> Json<Value> {
    Json(json!({ "status": "healthy", "service": format!("{}-connector", app.connector.name()) }))
}

async fn manifest(State(app): State<App>) -> Json<Manifest> {
    Json(app.manifest())
}

async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let (connector, version) = (app.connector.name(), app.connector.version());
    let text = app.manager.metrics().text(connector, version);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
