//! Actions of a connector: their calls and answers (`protocol.md` §2.6, §6).

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
pub use output::{ActionOutput, ActionReturn, Raw, Text, action_answer};
pub(crate) use perform::perform;
pub use response::ActionResponse;

pub use axum::response::Response;
