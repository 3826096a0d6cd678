//! Components in this process: a manager in memory, and the crawler behind a proxy.

use std::time::Duration;

use anyhow::{Result, ensure};
use omni_connector::{Patience, ServerConfig, serve_with_shutdown};
use omni_connector_dev::{Options, testing};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::crawler::Crawler;

/// Returns the options of the test kit, with a scheduler that resumes lost runs.
pub fn options() -> Options {
    let mut options = testing::options();
    options.runs.tick = Some(Duration::from_millis(50));
    options
}

/// Returns retry waits for tests: the usual number of attempts, much shorter.
pub fn patience() -> Patience {
    let mut patience = Patience::default();
    patience.call = Duration::from_millis(400);
    patience.register = Duration::from_secs(2);
    patience.extract = Duration::from_millis(400);
    patience.first_pause = Duration::from_millis(2);
    patience.longest_pause = Duration::from_millis(200);
    patience.longest_asked_pause = Duration::from_millis(20);
    patience.in_all = Duration::from_secs(10);
    patience
}

/// The crawler while it is served.
pub struct Served {
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<()>>,
}

impl Served {
    /// Serves the crawler to the manager at `manager`.
    pub fn start(manager: &str) -> Self {
        let mut config = ServerConfig::loopback(manager);
        config.patience = patience();
        config.grace = Duration::from_secs(2);
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve_with_shutdown(Crawler, config, async {
            let _ = stopped.await;
        }));
        Self { stop, server }
    }

    /// Stops it.
    pub async fn stop(self) -> Result<()> {
        ensure!(
            self.stop.send(()).is_ok(),
            "the connector stopped by itself"
        );
        self.server.await?
    }
}
