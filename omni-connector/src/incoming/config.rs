//! Where the server listens, where the manager is, and how the two find each other.

use std::{env, net::IpAddr};

/// The settings of a connector's server, from the environment (`protocol.md` §1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// `CONNECTOR_MANAGER_URL`: base URL of the manager.
    pub manager_url: String,
    /// `CONNECTOR_HOST_NAME`: the name under which the manager reaches this process.
    pub host_name: String,
    /// `PORT`: where the server listens and is registered.
    pub port: u16,
    /// `OMNI_CONNECTOR_LISTEN`: the address to listen on, `0.0.0.0` unless it is set.
    pub listen: IpAddr,
}
