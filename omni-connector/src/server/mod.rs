//! What comes in: the server that the manager calls (`protocol.md` §2), and the loop that registers it.

mod action;
mod body;
mod config;
mod door;
mod guard;
mod mcp;
mod oauth;
mod registration;
mod serve;
mod shutdown;
mod sync;
mod webhook;

#[cfg(feature = "mcp")]
pub(crate) use action::perform;
pub use config::{ConfigError, ServerConfig};
pub use serve::{run, serve, serve_with_config, serve_with_extra_routes, serve_with_shutdown};
#[cfg(feature = "mcp")]
pub(crate) use shutdown::signalled;

pub use webhook::Runner;

use std::sync::Arc;

use crate::{
    connector::ErasedConnector, manager::ManagerClient, mcp::Bridge, run::Runs, wire::Manifest,
};

/// What every handler needs.
#[derive(Clone)]
struct App {
    connector: Arc<dyn ErasedConnector>,
    manager: ManagerClient,
    runs: Runs,
    connector_url: Arc<str>,
    /// The longest body that is read.
    max_body_bytes: usize,
    /// The MCP server behind the connector, if it has one.
    bridge: Option<Arc<Bridge>>,
}

impl App {
    fn manifest(&self) -> Manifest {
        let mut manifest = self.connector.manifest(&self.connector_url);
        if let Some(bridge) = &self.bridge {
            bridge.complete(&mut manifest);
        }
        manifest
    }
}
