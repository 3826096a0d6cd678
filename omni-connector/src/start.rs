//! What a connector's `main` calls: puts the connector, the MCP server behind it and the server together.

use std::{env, io, sync::Arc};

use anyhow::{Result, bail};
use axum::Router;

use crate::{
    bridges::{bridged, serve_mcp},
    contract::{BoxFuture, Connector, ErasedConnector},
    incoming::{ServerConfig, listen, look_over, panic, signalled},
    telemetry,
};

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
            serve_mcp(Arc::new(connector), &arguments[1..], signalled()).await
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
    let connector = with_server_behind(connector, &config);
    serde_json::to_writer_pretty(io::stdout().lock(), &connector.manifest(&url))?;
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
    let served = served(connector, config, extra, shutdown).await;
    telemetry.end().await;
    served
}

async fn served(
    connector: Arc<dyn ErasedConnector>,
    config: ServerConfig,
    extra: Router,
    shutdown: Option<BoxFuture<'static, ()>>,
) -> Result<()> {
    // Without what an MCP server says of itself: nobody here can mend that.
    look_over(&*connector, &config)?;
    let connector = with_server_behind(connector, &config);
    listen(connector, config, extra, shutdown).await
}

/// The connector together with the MCP server behind it, if it has one.
fn with_server_behind(
    connector: Arc<dyn ErasedConnector>,
    config: &ServerConfig,
) -> Arc<dyn ErasedConnector> {
    let (folder, ttl) = (&config.catalog_cache_dir, config.catalog_cache_ttl);
    bridged(connector, folder, ttl, config.mcp_idle)
}
