//! Replaces the bridges when the feature `mcp` is off.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Result, bail};

use crate::connector::ErasedConnector;

/// Returns the connector unchanged: without the feature none has an MCP server.
pub(crate) fn bridged(
    connector: Arc<dyn ErasedConnector>,
    _: &Path,
    _: Option<Duration>,
    _: Duration,
) -> Arc<dyn ErasedConnector> {
    connector
}

/// Fails with the feature that is needed.
#[allow(clippy::unused_async, reason = "the signature is that of the real one")]
pub(crate) async fn serve_mcp(
    _: Arc<dyn ErasedConnector>,
    _: &[String],
    _: impl Future<Output = ()>,
) -> Result<()> {
    bail!(
        "this connector was built without MCP\nhelp: in its Cargo.toml, `omni-connector = {{ …, features = [\"mcp\"] }}`"
    )
}
