//! A connector under a manager that remembers nothing.

use std::{env, fs, path::PathBuf, process, time::Duration};

use omni_connector::Manifest;
use tokio::time::timeout;

use crate::{
    cli::{
        Failure, Interrupts, client::Client, connector_process::ConnectorProcess, target::Program,
    },
    manager::Manager,
    options::Options,
};

/// How long a connector may take to register.
const PATIENCE: Duration = Duration::from_secs(30);

/// Stop it with [`stop`](Self::stop).
pub(super) struct Running {
    pub(super) manager: Manager,
    pub(super) manifest: Manifest,
    pub(super) process: ConnectorProcess,
    log: PathBuf,
}

impl Running {
    /// Starts a program, and waits until it has registered.
    pub(super) async fn start(program: &Program, interrupts: &Interrupts) -> Result<Self, Failure> {
        let manager = Manager::start(Options::default())
            .await
            .map_err(Failure::failed)?;
        let client = Client::new(manager.url())?;
        let log = env::temp_dir().join(format!("cargo-omni-{}.log", process::id()));
        let mut process = ConnectorProcess::start(program, client.url(), &log, false, None)?;
        let registered = tokio::select! {
            manifest = timeout(PATIENCE, client.registration()) => match manifest {
                Ok(manifest) => manifest,
                Err(_) => {
                    let what = format!("did not register within {} s", PATIENCE.as_secs());
                    Err(process.failure(&what).await)
                }
            },
            status = process.exited() => {
                Err(process.failure(&format!("ended with {status} before it registered")).await)
            }
            () = interrupts.first() => Err(Failure::interrupted()),
        };
        match registered {
            Ok(manifest) => Ok(Self {
                manager,
                manifest,
                process,
                log,
            }),
            Err(failure) => {
                process.stop(interrupts).await;
                manager.shutdown().await;
                let _ = fs::remove_file(&log);
                Err(failure)
            }
        }
    }

    /// Ends the connector, then the manager, and removes what the connector printed.
    pub(super) async fn stop(mut self, interrupts: &Interrupts) {
        self.process.stop(interrupts).await;
        self.manager.shutdown().await;
        let _ = fs::remove_file(&self.log);
    }
}
