//! What can go wrong in a call to the manager, sorted by what the caller can do about it.

use axum::http::StatusCode;

/// A call to the manager that failed for good: what can be retried was retried before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// No answer came, on any attempt.
    #[error("the manager does not answer {route}: {cause}")]
    Unreachable {
        /// Method and path.
        route: String,
        /// The last failure of the transport.
        cause: String,
    },
    /// The manager says that the run is over: it was cancelled, timed out or completed elsewhere.
    #[error("the run is over: {message}")]
    RunOver {
        /// The manager's words.
        message: String,
    },
    /// The manager refused the call.
    #[error("the manager refused {route} with {status}: {message}")]
    Refused {
        /// Method and path.
        route: String,
        /// Its status.
        status: StatusCode,
        /// Its words.
        message: String,
    },
    /// The answer cannot be read.
    #[error("the manager's answer to {route} cannot be read: {cause}")]
    Unreadable {
        /// Method and path.
        route: String,
        /// Why.
        cause: String,
    },
}

impl ManagerError {
    /// The outcome under which metrics count it.
    pub(crate) const fn outcome(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::RunOver { .. } => "run_over",
            Self::Refused { .. } => "refused",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// The status with which the manager refused, if it did.
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::RunOver { .. } => Some(StatusCode::BAD_REQUEST),
            Self::Unreachable { .. } | Self::Unreadable { .. } => None,
        }
    }

    /// Whether the thing that was asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }
}
