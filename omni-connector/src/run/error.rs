//! Why a run cannot go on.

use super::Failure;
use crate::manager::ManagerError;

/// Why a call on a run was refused. Once one call is refused for a reason that ends the run, all later ones are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Somebody cancelled the run. Stop; nothing more of it is sent.
    #[error("the run was cancelled")]
    Cancelled,
    /// The run was completed or failed before.
    #[error("the run has already ended")]
    Ended,
    /// The manager refused something for good, or is gone.
    #[error(transparent)]
    Manager(#[from] ManagerError),
    /// More items failed than the run's [budget](super::FailureBudget) allows.
    #[error(
        "{failed} of {looked_at} items failed, which is more than the run may lose; the latest is `{}`: {}\n\
         help: look at the report of the run, or raise `OMNI_FAILURE_LIMIT` or `OMNI_FAILURE_SHARE_LIMIT`",
        .latest.item, .latest.cause
    )]
    TooManyFailures {
        /// Items that failed.
        failed: u64,
        /// Items that were looked at.
        looked_at: u64,
        /// The latest one.
        latest: Box<Failure>,
    },
    /// The checkpoint cannot be written as JSON.
    #[error("the checkpoint cannot be written as JSON: {0}")]
    Checkpoint(String),
}
