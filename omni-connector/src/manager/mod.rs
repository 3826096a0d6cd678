//! The client of the manager: its routes, how calls are repeated, and the writers of their bodies (`protocol.md` §3).

mod buffers;
mod call;
mod client;
mod error;
mod events;
mod extract;
mod notes;
mod patience;
mod retry;
mod text;

pub use client::ManagerClient;
pub use error::ManagerError;
pub(crate) use events::EventEncoder;
pub use extract::{Data, EXTRACT_LIMIT, Extract, is_extractable};
pub use notes::NotesError;
pub use patience::Patience;
pub(crate) use retry::{Backoff, retry_after};
