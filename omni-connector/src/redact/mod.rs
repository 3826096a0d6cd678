//! Removes secrets from strings that leave the process: an error's chain may quote URLs, headers and bodies.
//!
//! Imports no other module of the crate.

#[cfg(feature = "mcp")]
mod chunks;
mod rules;
mod secrets;
mod spelling;

#[cfg(feature = "mcp")]
pub(crate) use chunks::Chunks;
pub use rules::redact;
pub(crate) use secrets::Secrets;

const REDACTED: &str = "[redacted]";
