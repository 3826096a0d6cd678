//! What one process knows and forgets when it ends: the live connectors, how they are called, and locks. It imports nothing
//! but the options.

mod connector;
mod locks;
mod registry;

pub use connector::ConnectorError;
pub(crate) use connector::{ConnectorClient, Probe};
pub(crate) use locks::Locks;
pub(crate) use registry::{Registry, check_actions};
