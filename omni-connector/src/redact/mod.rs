//! Removes secrets from strings that leave the process: an error's chain may quote URLs, headers and bodies.
//!
//! Imports no other module of the crate.

#[cfg(feature = "mcp")]
mod chunks;
mod entities;
mod escapes;
mod forms;
mod met;
mod rules;
mod secrets;
mod spelling;
mod stand_ins;

#[cfg(feature = "mcp")]
pub(crate) use chunks::Chunks;
pub(crate) use met::{
    are_kept as are_secrets_kept, are_names_made_up, are_requests_kept, note as note_secret,
    redact_line,
};
pub use rules::redact;
pub(crate) use secrets::Secrets;
pub use secrets::hide_secrets;
pub(crate) use stand_ins::{STAND_IN, StandIns};

const REDACTED: &str = "[redacted]";
