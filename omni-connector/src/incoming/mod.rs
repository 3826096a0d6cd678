//! What comes in: the server that the manager calls (`protocol.md` §2), and the loop that registers it.

mod config;
pub use config::ServerConfig;

use crate::contract::Connector;
use anyhow::Result;

/// Placeholder until the next file.
pub async fn serve<C: Connector>(_c: C) -> Result<()> {
    Ok(())
}
/// x
pub async fn serve_with_config<C: Connector>(_c: C, _config: ServerConfig) -> Result<()> {
    Ok(())
}
/// x
pub async fn serve_with_extra_routes<C: Connector>(_c: C, _r: axum::Router) -> Result<()> {
    Ok(())
}
/// x
pub async fn run<C: Connector>(_c: C) -> Result<()> {
    Ok(())
}
