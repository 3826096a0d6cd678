//! Components in this process: a manager in memory, and the crawler behind a proxy.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use omni_connector::{Patience, ServerConfig, serve_with_shutdown};
use omni_connector_dev::Options;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::crawler::Crawler;

/// Returns manager options for tests: no waits, no limits on repetition.
pub fn options() -> Options {
    let mut options = Options::default();
    options.calls.sync_retries = Vec::new();
    options.calls.jitter = Duration::ZERO;
    options.runs.tick = Some(Duration::from_millis(50));
    options.runs.resumes = 1_000;
    options.runs.concurrent = 1_000;
    options.runs.concurrent_per_class = 1_000;
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

/// Returns a free port that the system does not assign to others.
pub async fn free_port() -> Result<u16> {
    /// Below the system's ephemeral ports (32768 on Linux, 49152 elsewhere).
    const PORTS: std::ops::Range<u16> = 20_000..30_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let process = std::process::id() % u32::from(PORTS.end - PORTS.start);
    for _ in PORTS {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = u16::try_from(process)?.wrapping_add(next) % (PORTS.end - PORTS.start);
        let port = PORTS.start + offset;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free")
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
