//! The server that the manager calls (`protocol.md` §2), and the loop that registers it.

mod action;
mod body;
mod config;
mod door;
mod guard;
mod mcp;
mod oauth;
mod pulse;
mod registration;
mod serve;
mod shutdown;
mod source;
mod sync;
mod webhook;

pub use config::{ConfigError, ServerConfig};
pub(crate) use serve::{listen, look_over};
pub(crate) use shutdown::signalled;

pub use webhook::Runner;

use std::{sync::Arc, time::Duration};

use crate::{connector::ErasedConnector, manager::ManagerClient, run::Runs, wire::Manifest};

/// The manager gives up after 30 s (`protocol.md` §2.1). This limit is shorter, so that the caller gets an error with the
/// reason.
const PATIENCE: Duration = Duration::from_secs(29);

/// The state shared by all handlers.
struct App {
    connector: Arc<dyn ErasedConnector>,
    manager: ManagerClient,
    runs: Runs,
    connector_url: Arc<str>,
    /// The largest accepted request body.
    max_body_bytes: usize,
}

impl App {
    fn manifest(&self) -> Manifest {
        self.connector.manifest(&self.connector_url)
    }
}
