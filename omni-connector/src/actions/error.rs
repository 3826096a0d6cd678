//! What an action can refuse, and the status each refusal has (`protocol.md` §2.6).

use axum::{http::StatusCode, response::Response};

use super::ActionResponse;

/// A refusal with a meaning. Any other error of an action is 500 with its chain of causes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// The caller's input is wrong: 400.
    #[error("{0}")]
    BadRequest(String),
    /// The credential is missing or was refused: 401.
    #[error("{0}")]
    Unauthorized(String),
    /// The person may not do this: 403.
    #[error("{0}")]
    Forbidden(String),
    /// What the call names does not exist: 404.
    #[error("{0}")]
    NotFound(String),
}

impl ActionError {
    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
        }
    }

    /// The answer to an error of an action: its status if it has one, else 500 with the chain.
    pub(crate) fn answer(error: &anyhow::Error) -> Response {
        match error.downcast_ref::<Self>() {
            Some(refusal) => ActionResponse::error(refusal.to_string())
                .into_response_with_status(refusal.status()),
            None => ActionResponse::error(format!("{error:#}"))
                .into_response_with_status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}
