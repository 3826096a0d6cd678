//! Joins the connector, the MCP server behind it and the server, for the `main` of a connector.

use std::{env, fmt, io, sync::Arc};

use anyhow::{Result, bail};
use axum::Router;
use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::{
    connector::{Connector, ErasedConnector},
    mcp::{bridged, serve_mcp},
    panic,
    redact::redact_line,
    server::{ServerConfig, listen, look_over, signalled},
    telemetry::{self, Telemetry},
    transport::HttpClient,
};

/// Serves the connector, or executes the subcommand on the command line. Call it in `main`.
///
/// | arguments | effect |
/// |---|---|
/// | none, or `serve` | [`serve`] |
/// | `manifest` | prints the manifest as JSON and ends |
/// | `schemas` | prints the schemas of config, credentials and state as JSON and ends: [`TypeSchemas`](crate::TypeSchemas) |
/// | `mcp` | serves the actions as MCP tools over standard input and output; `mcp --help` says more. Needs the feature `mcp` |
///
/// An error that `main` returns is printed without a stack trace. `RUST_BACKTRACE=1` adds one, even to the error of a
/// missing variable. `RUST_LIB_BACKTRACE=0` in addition limits the traces to panics.
///
/// # Errors
/// As [`serve`], and for other arguments.
pub async fn run<C: Connector>(connector: C) -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["serve"] => serve(connector).await,
        ["manifest"] => print_manifest(Arc::new(connector)),
        ["schemas"] => print(&connector.type_schemas()),
        ["mcp", ..] => {
            let connector: Arc<dyn ErasedConnector> = Arc::new(connector);
            let _telemetry = start_telemetry(&*connector);
            serve_mcp(connector, &arguments[1..], signalled()).await
        }
        _ => bail!(
            "unknown arguments `{}`\nhelp: use `serve` (the default), `manifest`, `schemas` or `mcp`",
            arguments.join(" ")
        ),
    }
}

/// Serves a connector with the settings in the environment, as an unchanged [`Server`] does.
///
/// # Errors
/// As [`Server::serve`].
pub async fn serve<C: Connector>(connector: C) -> Result<()> {
    Server::new(connector).serve().await
}

/// Serves a connector with its own settings: [`Server::config`].
///
/// # Errors
/// As [`Server::serve`].
pub async fn serve_with_config<C: Connector>(connector: C, config: ServerConfig) -> Result<()> {
    Server::new(connector).config(config).serve().await
}

/// Serves a connector until `shutdown` completes: [`Server::until`].
///
/// # Errors
/// As [`Server::serve`].
pub async fn serve_with_shutdown<C: Connector>(
    connector: C,
    config: ServerConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let server = Server::new(connector).config(config);
    server.until(shutdown).serve().await
}

/// Serves a connector with additional routes: [`Server::routes`].
///
/// # Errors
/// As [`Server::serve`].
pub async fn serve_with_extra_routes<C: Connector>(connector: C, routes: Router) -> Result<()> {
    Server::new(connector).routes(routes).serve().await
}

/// Serves one connector, with optional changes of the defaults.
///
/// ```no_run
/// use omni_connector::{Server, ServerConfig, prelude::*};
/// # /// Notes.
/// # #[connector(name = "notes", source_types = [Notion])]
/// # struct Notes;
/// # #[connector]
/// # impl Notes { #[sync] async fn sync(&self, ctx: SyncContext) -> Result<()> { Ok(()) } }
///
/// # async fn serve() -> Result<()> {
/// let config = ServerConfig::new("http://connector-manager:3004", "notes", 4001);
/// Server::new(Notes).config(config).serve().await
/// # }
/// ```
#[must_use = "it serves nothing before `serve` is called"]
pub struct Server {
    connector: Arc<dyn ErasedConnector>,
    config: Option<ServerConfig>,
    routes: Router,
    shutdown: Option<BoxFuture<'static, ()>>,
}

impl Server {
    /// Makes the server of a connector. Settings come from the environment unless [`config`](Self::config) sets them.
    pub fn new<C: Connector>(connector: C) -> Self {
        Self {
            connector: Arc::new(connector),
            config: None,
            routes: Router::new(),
            shutdown: None,
        }
    }

    /// Uses these settings in place of `CONNECTOR_MANAGER_URL`, `CONNECTOR_HOST_NAME`, `PORT` and the others.
    pub fn config(mut self, config: ServerConfig) -> Self {
        self.config = Some(config);
        self
    }

    /// Adds routes. A route of the protocol takes precedence over one with the same path.
    pub fn routes(mut self, routes: Router) -> Self {
        self.routes = routes;
        self
    }

    /// Serves until `shutdown` completes, in place of until a signal. Never ends the process itself.
    pub fn until(mut self, shutdown: impl Future<Output = ()> + Send + 'static) -> Self {
        self.shutdown = Some(Box::pin(shutdown));
        self
    }

    /// Serves until SIGTERM or SIGINT, or until the future of [`until`](Self::until) completes.
    ///
    /// Then no further run is accepted. Runs see [`is_cancelled`](crate::SyncContext::is_cancelled) and have
    /// [`grace`](ServerConfig::grace) to reach a checkpoint and return. Their pending items are sent, and the manager
    /// resumes them. This returns at most two seconds after the grace. If a run still blocks its thread, the process
    /// ends with status 0 instead. A second signal ends it at once.
    ///
    /// # Errors
    /// A variable is missing or invalid, the port cannot be bound, or Omni would refuse the manifest.
    pub async fn serve(self) -> Result<()> {
        let Self {
            connector,
            config,
            routes,
            shutdown,
        } = self;
        let config = match config {
            Some(config) => config,
            None => ServerConfig::from_env()?,
        };
        let telemetry = start_telemetry(&*connector);
        panic::note_places(redact_line);
        let served = served(connector, config, routes, shutdown).await;
        telemetry.end().await;
        served
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("connector", &self.connector.name())
            .finish_non_exhaustive()
    }
}

/// Starts the log, and the traces if a collector is configured.
fn start_telemetry(connector: &dyn ErasedConnector) -> Telemetry {
    let http = || (*HttpClient::new()).clone();
    telemetry::start(connector.name(), connector.version(), redact_line, http)
}

fn print_manifest(connector: Arc<dyn ErasedConnector>) -> Result<()> {
    let config = ServerConfig::from_env();
    let url = config.as_ref().map_or_else(
        |_| "http://localhost".to_owned(),
        ServerConfig::connector_url,
    );
    let config = config.unwrap_or_else(|_| ServerConfig::new("", "", 0));
    let connector = with_server_behind(connector, &config);
    print(&connector.manifest(&url))
}

fn print(value: &impl Serialize) -> Result<()> {
    serde_json::to_writer_pretty(io::stdout().lock(), value)?;
    println!();
    Ok(())
}

async fn served(
    connector: Arc<dyn ErasedConnector>,
    config: ServerConfig,
    extra: Router,
    shutdown: Option<BoxFuture<'static, ()>>,
) -> Result<()> {
    // Without the MCP server's catalog, which the author cannot change.
    look_over(&*connector, &config)?;
    let connector = with_server_behind(connector, &config);
    listen(connector, config, extra, shutdown).await
}

/// Returns the connector together with the MCP server behind it, if it has one.
fn with_server_behind(
    connector: Arc<dyn ErasedConnector>,
    config: &ServerConfig,
) -> Arc<dyn ErasedConnector> {
    let (folder, ttl) = (&config.catalog_cache_dir, config.catalog_cache_ttl);
    bridged(connector, folder, ttl, config.mcp_idle)
}
