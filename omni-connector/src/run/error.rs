//! The error of a call on a run.

use super::Failure;
use crate::manager::ManagerError;

/// The reason why a call on a run was refused. After a reason that ends the run, all later calls are refused as well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The run was cancelled. Stop; nothing more of it is sent.
    #[error("the run was cancelled")]
    Cancelled,
    /// The run has already completed or failed.
    #[error("the run has already ended")]
    Ended,
    /// The manager refused a call permanently, or cannot be reached.
    #[error(transparent)]
    Manager(#[from] ManagerError),
    /// More items failed than the run's [budget](super::FailureBudget) allows.
    #[error(
        "{failed} of {looked_at} items failed, which is more than the run may lose; the latest is `{}`: {}\n\
         help: look at the report of the run, or raise `OMNI_FAILURE_LIMIT` or `OMNI_FAILURE_SHARE_LIMIT`",
        .latest.item, .latest.cause
    )]
    TooManyFailures {
        /// The number of failed items.
        failed: u64,
        /// The number of scanned items.
        looked_at: u64,
        /// The latest failure.
        latest: Box<Failure>,
    },
    /// The checkpoint cannot be serialized as JSON.
    #[error("the checkpoint cannot be written as JSON: {0}")]
    Checkpoint(String),
    /// The checkpoint would not be read by the next run.
    #[error(
        "the next run could not read what this one saves: {0}\n\
         help: have each field read as it is saved; give one that may be left out `#[serde(default)]`"
    )]
    Unreadable(String),
}
