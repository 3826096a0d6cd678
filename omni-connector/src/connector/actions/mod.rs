//! What callers ask a connector to do: the call, and the answers it can give (`protocol.md` §2.6, §6).

mod call;
mod error;
mod file;
mod output;
mod perform;
mod response;

pub use call::ActionCall;
pub use error::ActionError;
pub(crate) use error::Failed;
pub use file::File;
pub use output::{ActionOutput, ActionReturn, Raw, Text, answer};
pub(crate) use perform::perform;
pub use response::ActionResponse;

pub use axum::response::Response;
