//! Why a run cannot go on.

use crate::outgoing::ManagerError;

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
    /// The checkpoint cannot be written as JSON.
    #[error("the checkpoint cannot be written as JSON: {0}")]
    Checkpoint(String),
}
