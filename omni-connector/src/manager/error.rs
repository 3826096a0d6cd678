//! Errors of calls to the manager, grouped by how the caller can react.

use axum::http::StatusCode;

/// A call to the manager that failed after all retries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// No attempt was answered.
    #[error("the manager does not answer {route}: {cause}")]
    Unreachable {
        /// Method and path.
        route: String,
        /// The last transport error.
        cause: String,
    },
    /// The manager reports that the run is over: cancelled, timed out or completed elsewhere.
    #[error("the run is over: {message}")]
    RunOver {
        /// The manager's message.
        message: String,
    },
    /// The manager refused the call.
    #[error("the manager refused {route} with {status}: {message}")]
    Refused {
        /// Method and path.
        route: String,
        /// The status of the answer.
        status: StatusCode,
        /// The manager's message.
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
    /// Returns the outcome label for metrics.
    pub(crate) const fn outcome(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::RunOver { .. } => "run_over",
            Self::Refused { .. } => "refused",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// Returns the status with which the manager refused the call, if it did.
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::RunOver { .. } => Some(StatusCode::BAD_REQUEST),
            Self::Unreachable { .. } | Self::Unreadable { .. } => None,
        }
    }

    /// Returns whether the requested object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }
}
