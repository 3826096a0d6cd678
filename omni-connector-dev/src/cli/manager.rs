//! `cargo omni manager`: runs the manager alone, for connectors that are started separately.

use std::{env, io};

use clap::Args;
use serde_json::json;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use super::{
    Code, Failure, Interrupts, Output, StoreFolder,
    session::{lock, start_manager},
};
use crate::options::RunLimits;

/// The port of the manager in Omni's own deployment.
pub(super) const PORT: u16 = 3004;

/// Run the manager alone until Ctrl-C
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Port on loopback; 0 lets the system choose
    #[arg(long, default_value_t = PORT)]
    port: u16,
    #[command(flatten)]
    store: StoreFolder,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    log();
    let _lock = lock(&arguments.store.folder)?;
    let tick = RunLimits::default().tick;
    let manager = start_manager(&arguments.store.folder, arguments.port, tick, interrupts).await?;
    let url = manager.url();
    output.result(
        &json!({ "url": url, "store": arguments.store.folder }),
        format!(
            "the manager listens on {url}\nstart a connector for it with\n  CONNECTOR_MANAGER_URL={url} \
             CONNECTOR_HOST_NAME=127.0.0.1 PORT=4001 <program>\n"
        ),
    );
    interrupts.first().await;
    tokio::select! {
        () = manager.shutdown() => {}
        () = interrupts.second() => {}
    }
    Ok(Code::Done)
}

/// Logs to standard error, filtered by `RUST_LOG` (default `info`).
fn log() {
    let asked = env::var("RUST_LOG").unwrap_or_default();
    let filter = asked.parse::<Targets>().ok().filter(|_| !asked.is_empty());
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(console::colors_enabled_stderr())
        .with_writer(io::stderr);
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .init();
}
