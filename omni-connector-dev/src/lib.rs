//! The development manager of omni-connector: Omni's connector-manager and indexer in one process with one SQLite file,
//! as strict as the real ones, for connectors written with any SDK. It listens on loopback only and must never be deployed.

mod actions;
pub mod cli;
mod connector;
mod content;
mod credential_ready;
mod credentials;
mod extract;
mod http;
mod manager;
mod oauth;
mod options;
mod registry;
mod runs;
pub mod store;

pub use actions::{ActionAnswer, ActionError};
pub use connector::ConnectorError;
pub use credentials::CredentialError;
pub use manager::{Manager, Progress, StartError};
pub use options::{CallLimits, ExtractionLimits, Options, RunLimits, Storage};
pub use runs::{CancelError, TriggerError};
