//! Starts, supervises, resumes and cancels sync runs (`protocol.md` §5). Only the connector may
//! complete a run.

mod cancel;
mod dispatch;
mod failures;
mod supervisor;
mod trigger;
mod watch;

pub use cancel::CancelError;
pub(crate) use cancel::{cancel, cancel_because};
pub(crate) use failures::Streak;
pub(crate) use supervisor::Supervisor;
pub use trigger::TriggerError;
pub(crate) use trigger::{create, resume, trial, trigger};
