//! Components in this process: a manager in memory, and the crawler behind a proxy.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Result, ensure};
use omni_connector::{Patience, ServerConfig, serve_with_shutdown};
use omni_connector_dev::{Options, RunLimits, testing};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::crawler::Crawler;

/// Returns the options of the test kit, with a scheduler that resumes lost runs.
pub fn options() -> Options {
    let options = testing::options();
    let tick = Some(Duration::from_millis(50));
    Options {
        runs: RunLimits {
            tick,
            ..options.runs
        },
        ..options
    }
}

/// Returns retry waits for tests: the usual number of attempts, much shorter.
pub fn patience() -> Patience {
    Patience {
        prepare: Duration::from_secs(20),
        call: Duration::from_millis(400),
        register: Duration::from_secs(2),
        extract: Duration::from_millis(400),
        first_pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(200),
        longest_asked_pause: Duration::from_millis(20),
        in_all: Duration::from_secs(10),
    }
}

/// The crawler while it is served.
pub struct Served {
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<()>>,
}

impl Served {
    /// Serves the crawler to the manager at `manager`.
    pub fn start(manager: &str) -> Self {
        let config = ServerConfig {
            listen: Ipv4Addr::LOCALHOST.into(),
            patience: patience(),
            grace: Duration::from_secs(2),
            ..ServerConfig::new(manager, "127.0.0.1", 0)
        };
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
