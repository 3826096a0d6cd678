//! The errors of an action, each with its status (`protocol.md` §2.6).

use std::{fmt, time::Duration};

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::ActionResponse;
use crate::{
    http::{Incomplete, SourceError},
    redact::{Secrets, redact},
    schema::DecodeError,
    wire::SourceType,
};

/// An error with its own status. Any other error of an action is 500 with its chain of causes.
///
/// It keeps its status anywhere in the chain, so you can add context:
///
/// ```
/// use omni_connector::{ActionError, prelude::*};
///
/// fn find(page: &str) -> Result<String> {
///     bail!(ActionError::not_found(format!("page `{page}` does not exist")))
/// }
///
/// let error = find("p-7").context("the report cannot be made").unwrap_err();
/// assert_eq!(ActionError::of(&error).unwrap().status(), 404);
/// ```
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
    /// The object of the call does not exist: 404.
    #[error("{0}")]
    NotFound(String),
    /// The object of the call is in the wrong state, or has changed meanwhile: 409.
    #[error("{0}")]
    Conflict(String),
    /// The person must first grant these OAuth scopes: 412, with a link to do so (`protocol.md` §6.3).
    #[error("{}", needs(.0))]
    NeedsScopes(Vec<String>),
    /// The system behind the connector accepts no more calls for now: 429.
    #[error("{message}")]
    RateLimited {
        /// The message, which says what is limited.
        message: String,
        /// When to try again, if the system says so.
        retry_after: Option<Duration>,
    },
    /// The system behind the connector failed or cannot be reached: 502.
    #[error("{0}")]
    Upstream(String),
    /// The system behind the connector did not answer in time: 504.
    #[error("{0}")]
    Timeout(String),
}

fn needs(scopes: &[String]) -> String {
    if scopes.is_empty() {
        "this needs an account of your own; connect it first".to_owned()
    } else {
        format!(
            "this needs the scopes {}; grant them first",
            scopes.join(", ")
        )
    }
}

/// Constructors of the variants.
impl ActionError {
    /// [`BadRequest`](Self::BadRequest): 400.
    pub fn bad_request(message: impl fmt::Display) -> Self {
        Self::BadRequest(message.to_string())
    }

    /// [`Unauthorized`](Self::Unauthorized): 401.
    pub fn unauthorized(message: impl fmt::Display) -> Self {
        Self::Unauthorized(message.to_string())
    }

    /// [`Forbidden`](Self::Forbidden): 403.
    pub fn forbidden(message: impl fmt::Display) -> Self {
        Self::Forbidden(message.to_string())
    }

    /// [`NotFound`](Self::NotFound): 404.
    pub fn not_found(message: impl fmt::Display) -> Self {
        Self::NotFound(message.to_string())
    }

    /// [`Conflict`](Self::Conflict): 409.
    pub fn conflict(message: impl fmt::Display) -> Self {
        Self::Conflict(message.to_string())
    }

    /// [`NeedsScopes`](Self::NeedsScopes): 412. Without scopes the person only has to connect an account.
    pub fn needs_scopes(scopes: impl IntoIterator<Item: Into<String>>) -> Self {
        Self::NeedsScopes(scopes.into_iter().map(Into::into).collect())
    }

    /// [`RateLimited`](Self::RateLimited): 429, with `Retry-After` if the time is known.
    pub fn rate_limited(message: impl fmt::Display, retry_after: Option<Duration>) -> Self {
        Self::RateLimited {
            message: message.to_string(),
            retry_after,
        }
    }

    /// [`Upstream`](Self::Upstream): 502.
    pub fn upstream(message: impl fmt::Display) -> Self {
        Self::Upstream(message.to_string())
    }

    /// [`Timeout`](Self::Timeout): 504.
    pub fn timeout(message: impl fmt::Display) -> Self {
        Self::Timeout(message.to_string())
    }
}

impl ActionError {
    /// Returns the status of the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::NeedsScopes(_) => StatusCode::PRECONDITION_FAILED,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Upstream(_) => StatusCode::BAD_GATEWAY,
            Self::Timeout(_) => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// Returns the headers of the answer: when to try again, if that is known.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Self::RateLimited {
            retry_after: Some(wait),
            ..
        } = self
        {
            // Whole seconds, rounded up.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers
    }

    /// Finds the outermost `ActionError` in a chain of causes. An error of a call to the source counts as well.
    pub fn of(error: &anyhow::Error) -> Option<Self> {
        error.chain().find_map(|cause| {
            let source = || cause.downcast_ref::<SourceError>().cloned().map(Self::from);
            cause.downcast_ref().cloned().or_else(source)
        })
    }
}

/// Converts the error of a call to the source.
impl From<SourceError> for ActionError {
    fn from(error: SourceError) -> Self {
        let message = error.to_string();
        match error {
            SourceError::Walk(Incomplete::Failed(error)) => (*error).into(),
            SourceError::Unauthorized { .. } => Self::Unauthorized(message),
            SourceError::Forbidden {
                scope: Some(scope), ..
            } => Self::NeedsScopes(scope.split_whitespace().map(str::to_owned).collect()),
            SourceError::Forbidden { .. } => Self::Forbidden(message),
            SourceError::NotFound { .. } | SourceError::Gone { .. } => Self::NotFound(message),
            SourceError::Conflict { .. } => Self::Conflict(message),
            SourceError::Busy { retry_after, .. } => Self::RateLimited {
                message,
                retry_after,
            },
            SourceError::Refused { status, .. } if !status.is_server_error() => {
                Self::BadRequest(message)
            }
            SourceError::TimedOut { .. } => Self::Timeout(message),
            _ => Self::Upstream(message),
        }
    }
}

/// Converts a decoding error of a person's input: 400.
impl From<DecodeError> for ActionError {
    fn from(error: DecodeError) -> Self {
        Self::BadRequest(error.to_string())
    }
}

/// Converts a timeout to 504, and every other failure to 502. The message contains the URL, without secrets.
impl From<reqwest::Error> for ActionError {
    fn from(error: reqwest::Error) -> Self {
        let is_timeout = error.is_timeout();
        let message = format!("{:#}", anyhow::Error::from(error));
        let message = redact(&message).into_owned();
        if is_timeout {
            Self::Timeout(message)
        } else {
            Self::Upstream(message)
        }
    }
}

/// The parts of a failed call that its error answer needs.
pub(crate) struct Failed {
    /// The secrets to remove from messages.
    pub(crate) secrets: Secrets,
    /// The source's id and type. `None` before one exists.
    pub(crate) source: Option<(String, SourceType)>,
    /// The provider of the credential, if there is one.
    pub(crate) provider: Option<String>,
}

impl Failed {
    /// Makes the answer to an error of an action: its own status or 500, and always the chain of causes.
    pub(crate) fn answer(&self, error: &anyhow::Error) -> Response {
        let refusal = ActionError::of(error);
        if let Some(ActionError::NeedsScopes(scopes)) = &refusal
            && let Some(answer) = self.connect_first(scopes)
        {
            return answer;
        }
        let status = refusal
            .as_ref()
            .map_or(StatusCode::INTERNAL_SERVER_ERROR, ActionError::status);
        let mut answer =
            ActionResponse::error(self.message(error)).into_response_with_status(status);
        if let Some(refusal) = refusal {
            answer.headers_mut().extend(refusal.headers());
        }
        answer
    }

    /// Formats the chain of causes for people.
    pub(crate) fn message(&self, error: &anyhow::Error) -> String {
        self.secrets.redact(&format!("{error:#}"))
    }

    /// Makes the body with which a client offers to connect an account (`protocol.md` §6.3, §6.6). Returns `None`
    /// before a source exists.
    fn connect_first(&self, scopes: &[String]) -> Option<Response> {
        let (source, source_type) = self.source.as_ref()?;
        let asked = if scopes.is_empty() {
            String::new()
        } else {
            let scopes: Vec<_> = scopes.iter().map(|scope| in_query(scope)).collect();
            format!("&flow=user_write&required_scopes={}", scopes.join(","))
        };
        let start = format!("/api/oauth/start?source_id={}{asked}", in_query(source));
        let body = json!({
            "error": "needs_user_auth",
            "source_id": source,
            "source_type": source_type,
            "provider": self.provider,
            "oauth_start_url": start,
        });
        Some((StatusCode::PRECONDITION_FAILED, Json(body)).into_response())
    }
}

fn in_query(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn a_refusal_keeps_its_status_under_added_context() {
        #[derive(Debug, thiserror::Error)]
        #[error("the report failed")]
        struct Wrapped(#[source] ActionError);

        let refusal = || ActionError::conflict("it is closed");
        let plain = Err::<(), _>(refusal());
        for error in [
            refusal().into(),
            anyhow!(refusal()),
            plain.context("one").context("two").unwrap_err(),
            anyhow::Error::from(Wrapped(refusal())).context("three"),
        ] {
            assert_eq!(ActionError::of(&error), Some(refusal()), "{error:#}");
        }
        assert_eq!(ActionError::of(&anyhow!("it is closed")), None);
    }
}
