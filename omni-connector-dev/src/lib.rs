//! The development manager of omni-connector: Omni's connector-manager and indexer in one process with one SQLite file,
//! as strict as the real ones, for connectors written with any SDK. It listens on loopback only and must never be deployed.

pub mod store;
