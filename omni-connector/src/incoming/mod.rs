//! What comes in: the server that the manager calls (`protocol.md` §2), and the loop that registers it.

mod action;
mod body;
mod config;
mod guard;
mod mcp;
mod panic;
mod registration;
mod runs;
mod serve;
mod shutdown;
mod sync;
mod webhook;

pub use config::{ConfigError, ServerConfig};
pub use serve::{run, serve, serve_with_config, serve_with_extra_routes, serve_with_shutdown};

pub use webhook::{Runner, Webhook, WebhookCall, WebhookRequest, verify_hmac_sha256};

use std::sync::Arc;

use runs::Runs;

use crate::{contract::ErasedConnector, outgoing::ManagerClient};

/// What every handler needs.
#[derive(Clone)]
struct App {
    connector: Arc<dyn ErasedConnector>,
    manager: ManagerClient,
    runs: Runs,
    connector_url: Arc<str>,
}

impl App {
    fn manifest(&self) -> crate::contract::Manifest {
        self.connector.manifest(&self.connector_url)
    }
}
