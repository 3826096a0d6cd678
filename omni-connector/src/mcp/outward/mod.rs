//! The connector as an MCP server for any MCP client: its actions are tools and its skills are prompts.
//!
//! It serves standard input and output, or HTTP on loopback. All clients share one credential.

mod handler;
mod nulls;
mod options;
mod result;

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use axum::Router;
use rmcp::{
    ServiceExt,
    transport::{
        StreamableHttpServerConfig, StreamableHttpService, stdio,
        streamable_http_server::session::local::LocalSessionManager,
    },
};
use tokio::net::TcpListener;

use crate::connector::ErasedConnector;
use {
    handler::Handler,
    options::{HELP, Options},
};

/// Executes `my-connector mcp …`, until `ended`.
pub(crate) async fn serve(
    connector: Arc<dyn ErasedConnector>,
    arguments: &[String],
    ended: impl Future<Output = ()>,
) -> Result<()> {
    let lookup = |name: &str| std::env::var(name).ok();
    let Some(options) = Options::read(arguments, lookup)? else {
        println!("{HELP}");
        return Ok(());
    };
    let handler = Handler::new(connector, &options)?;
    match options.http {
        None => over_stdio(handler, ended).await,
        Some(address) => over_http(handler, address, ended).await,
    }
}

async fn over_stdio(handler: Handler, ended: impl Future<Output = ()>) -> Result<()> {
    let running = handler
        .serve(stdio())
        .await
        .context("no MCP client spoke on standard input\nhelp: start this command from an MCP client, or use `--http`")?;
    let stop = running.cancellation_token();
    tokio::select! {
        closed = running.waiting() => drop(closed?),
        () = ended => stop.cancel(),
    }
    Ok(())
}

async fn over_http(
    handler: Handler,
    address: SocketAddr,
    ended: impl Future<Output = ()>,
) -> Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}\nhelp: name a free address: `--http 127.0.0.1:4801`")
    })?;
    // Pages of other sites must not reach a server without a password.
    let config = StreamableHttpServerConfig::default()
        .with_allowed_origins(["http://localhost:*", "http://127.0.0.1:*"]);
    let stop = config.cancellation_token.clone();
    let service = StreamableHttpService::new(
        move || Ok(handler.clone()),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    eprintln!("MCP server at http://{}/mcp", listener.local_addr()?);
    let app = Router::new().route_service("/mcp", service);
    tokio::select! {
        stopped = axum::serve(listener, app).into_future() => stopped.context("the server stopped"),
        () = ended => {
            stop.cancel();
            Ok(())
        }
    }
}
