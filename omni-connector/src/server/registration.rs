//! Registers the connector with the manager, at startup and every 30 s (`protocol.md` §1.4).

use std::{sync::Arc, time::Duration};

use tokio::time::MissedTickBehavior;

use super::App;
use crate::{panic, redact::redact};

/// The manager forgets a connector after 300 s.
const EVERY: Duration = Duration::from_secs(30);

/// Registers repeatedly until dropped. A failure is logged and retried; it never ends the process.
pub(super) async fn keep_registered(app: Arc<App>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_registered = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = news(&app) => {}
        }
        let manager = redact(app.manager.url());
        // The author's part of the manifest may panic; the process must survive.
        let manifest = match panic::catch(async { app.manifest() }).await {
            Ok(manifest) => manifest,
            Err(panic) => {
                tracing::error!(
                    "the manifest cannot be made: the connector panicked {}",
                    redact(&panic.to_string())
                );
                continue;
            }
        };
        match app.manager.register(&manifest).await {
            Ok(()) if was_registered != Some(true) => {
                tracing::info!(%manager, url = &*app.connector_url, "registered");
                was_registered = Some(true);
            }
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%manager, %error, "not registered; the next attempt follows in {} s", EVERY.as_secs());
                was_registered = Some(false);
            }
        }
    }
}

/// Ends when the MCP server's offer changed and the manifest must be registered again.
async fn news(app: &App) {
    match app.connector.mcp_behind() {
        Some(server) => server.changed().await,
        None => std::future::pending().await,
    }
}
