//! In-memory state of one process: live connectors, the client that calls them, and locks. Lost
//! when the process ends. Must import nothing but the options.

mod connector;
mod locks;
mod registry;
mod token;

pub use connector::ConnectorError;
pub(crate) use connector::{ConnectorClient, Probe};
pub(crate) use locks::Locks;
pub(crate) use registry::{Registry, check_actions};
pub(crate) use token::random_token;
