//! Errors of calls to a source, grouped by how the caller can react.

use std::{fmt, time::Duration};

use reqwest::{Method, StatusCode};

use super::Incomplete;

/// A call to a source that failed after all retries.
///
/// Returned from an action it becomes the matching status: 401, 403, 404, 409, 412, 429, 400, 502 or 504. In a sync the
/// author decides: `?` ends the run, [`SyncContext::lost`](crate::SyncContext::lost) fails one item.
///
/// ```
/// use omni_connector::{ActionError, http::{Api, SourceError}};
///
/// async fn title(api: &Api, page: &str) -> Result<Option<String>, SourceError> {
///     match api.get(format!("pages/{page}")).read::<String>().await {
///         Err(SourceError::NotFound { .. }) => Ok(None),
///         other => other.map(Some),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// The source refuses the credential, even after it was read again.
    Unauthorized {
        /// The field of the source's credential that is refused, such as `api_key`, if it is known.
        setting: Option<String>,
        /// The source's message.
        message: String,
        /// The call.
        at: Box<At>,
    },
    /// The credential may not do this.
    Forbidden {
        /// The missing scope, if the source names it.
        scope: Option<String>,
        /// The source's message.
        message: String,
        /// The call.
        at: Box<At>,
    },
    /// The object does not exist, or the credential may not see it.
    NotFound {
        /// The call.
        at: Box<At>,
    },
    /// The object no longer exists.
    Gone {
        /// The call.
        at: Box<At>,
    },
    /// The state of the object does not allow the call.
    Conflict {
        /// The source's message.
        message: String,
        /// The call.
        at: Box<At>,
    },
    /// The source refuses the request for another reason.
    Refused {
        /// The status of the answer; 200 if the source refuses with that.
        status: StatusCode,
        /// The source's code of the reason, if it has one.
        code: Option<String>,
        /// The source's message.
        message: String,
        /// The call.
        at: Box<At>,
    },
    /// The source accepts no calls for longer than the caller waits.
    Busy {
        /// When to try again, if known.
        retry_after: Option<Duration>,
        /// The call.
        at: Box<At>,
    },
    /// The source answers with a server error, or its retry budget is spent.
    Unavailable {
        /// The status of the last answer.
        status: StatusCode,
        /// The source's message.
        message: String,
        /// The call.
        at: Box<At>,
    },
    /// No answer came in time.
    TimedOut {
        /// The call.
        at: Box<At>,
    },
    /// The source cannot be reached, or the connection broke.
    Unreachable {
        /// The last transport error.
        cause: String,
        /// The call.
        at: Box<At>,
    },
    /// The answer does not have the expected form.
    Unreadable {
        /// What is wrong with it.
        why: String,
        /// The call.
        at: Box<At>,
    },
    /// The answer is larger than the limit, after decompression.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
        /// The call.
        at: Box<At>,
    },
    /// The call leads to an origin outside the API, or a redirect leads to a forbidden one.
    Foreign {
        /// The origin.
        origin: String,
        /// The call.
        at: Box<At>,
    },
    /// A redirect led to another host, which got no credential and refused the request.
    TurnedAway {
        /// The origin that redirected.
        from: String,
        /// The origin that refused.
        to: String,
        /// The status of the refusal.
        status: StatusCode,
        /// The call.
        at: Box<At>,
    },
    /// A walk over pages did not reach its declared end.
    Walk(Incomplete),
    /// The run was cancelled.
    Cancelled,
    /// The description of the API or the call is wrong.
    Invalid {
        /// What is wrong, and what to do.
        why: String,
    },
}

/// The location of a [`SourceError`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct At {
    /// The operation: its name, or its method and path with ids replaced.
    pub operation: String,
    /// The method.
    pub method: Method,
    /// The URL without query and user.
    pub url: String,
    /// The page of a walk, from 1.
    pub page: Option<u32>,
    /// The number of requests sent.
    pub attempts: u32,
    /// The source's id of the request.
    pub request_id: Option<String>,
    /// Why no further attempt was made, although one could have helped.
    pub gave_up: Option<&'static str>,
}

impl SourceError {
    /// Returns the call, if the error arose in one.
    pub fn at(&self) -> Option<&At> {
        match self {
            Self::Unauthorized { at, .. }
            | Self::Forbidden { at, .. }
            | Self::NotFound { at }
            | Self::Gone { at }
            | Self::Conflict { at, .. }
            | Self::Refused { at, .. }
            | Self::Busy { at, .. }
            | Self::Unavailable { at, .. }
            | Self::TimedOut { at }
            | Self::Unreachable { at, .. }
            | Self::Unreadable { at, .. }
            | Self::TooLarge { at, .. }
            | Self::Foreign { at, .. }
            | Self::TurnedAway { at, .. } => Some(at),
            Self::Walk(Incomplete::Failed(error)) => error.at(),
            Self::Walk(_) | Self::Cancelled | Self::Invalid { .. } => None,
        }
    }

    /// Adds the reason why no further attempt was made.
    pub(super) fn giving_up(mut self, why: &'static str) -> Self {
        if let Some(at) = self.at_mut() {
            at.gave_up = Some(why);
        }
        self
    }

    fn at_mut(&mut self) -> Option<&mut At> {
        match self {
            Self::Unauthorized { at, .. }
            | Self::Busy { at, .. }
            | Self::Unavailable { at, .. }
            | Self::TimedOut { at }
            | Self::Unreachable { at, .. } => Some(at),
            _ => None,
        }
    }

    /// Returns whether the requested object does not exist, or no longer exists.
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Gone { .. })
    }

    /// Returns the outcome label for metrics.
    pub(crate) const fn outcome(&self) -> &'static str {
        match self {
            Self::Unauthorized { .. } => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound { .. } => "not_found",
            Self::Gone { .. } => "gone",
            Self::Conflict { .. } => "conflict",
            Self::Refused { .. } => "refused",
            Self::Busy { .. } => "busy",
            Self::Unavailable { .. } => "unavailable",
            Self::TimedOut { .. } => "timed_out",
            Self::Unreachable { .. } => "unreachable",
            Self::Unreadable { .. } => "unreadable",
            Self::TooLarge { .. } => "too_large",
            Self::Foreign { .. } => "foreign",
            Self::TurnedAway { .. } => "turned_away",
            Self::Walk(_) => "walk",
            Self::Cancelled => "cancelled",
            Self::Invalid { .. } => "invalid",
        }
    }
}

impl std::error::Error for SourceError {}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Walk(incomplete) => return incomplete.fmt(f),
            Self::Cancelled => return f.write_str("the run was cancelled"),
            Self::Invalid { why } => return f.write_str(why),
            _ => {}
        }
        let Some(at) = self.at() else { return Ok(()) };
        if let Self::Unauthorized {
            setting: Some(setting),
            ..
        } = self
        {
            write!(f, "`{setting}` of the credential is refused; renew it: ")?;
        }
        write!(f, "`{}`", at.operation)?;
        if let Some(page) = at.page {
            write!(f, " (page {page})")?;
        }
        f.write_str(": ")?;
        self.write_problem(f)?;
        if at.attempts > 1 {
            write!(f, " after {} attempts", at.attempts)?;
        }
        if let Some(gave_up) = at.gave_up {
            write!(f, " ({gave_up})")?;
        }
        if let Some(id) = &at.request_id {
            write!(f, ", request id {id}")?;
        }
        write!(f, ", at {}", at.url)
    }
}

impl SourceError {
    fn write_problem(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized {
                setting, message, ..
            } => {
                says(f, StatusCode::UNAUTHORIZED, message)?;
                match setting {
                    Some(_) => Ok(()),
                    None => f.write_str("; renew the credential of the source"),
                }
            }
            Self::Forbidden { message, .. } => says(f, StatusCode::FORBIDDEN, message),
            Self::NotFound { .. } => says(f, StatusCode::NOT_FOUND, ""),
            Self::Gone { .. } => says(f, StatusCode::GONE, ""),
            Self::Conflict { message, .. } => says(f, StatusCode::CONFLICT, message),
            Self::Refused {
                status,
                code,
                message,
                ..
            } => match code {
                Some(code) if message.is_empty() => says(f, *status, code),
                Some(code) => says(f, *status, &format!("{code}: {message}")),
                None => says(f, *status, message),
            },
            Self::Busy { retry_after, .. } => {
                f.write_str("the source takes no more calls for now")?;
                match retry_after {
                    Some(wait) => write!(f, "; try again in {} s", whole_seconds(*wait)),
                    None => Ok(()),
                }
            }
            Self::Unavailable {
                status, message, ..
            } => says(f, *status, message),
            Self::TimedOut { .. } => f.write_str("the source did not answer in time"),
            Self::Unreachable { cause, .. } => {
                write!(f, "the source cannot be reached: {cause}")
            }
            Self::Unreadable { why, .. } => write!(f, "the answer cannot be read: {why}"),
            Self::TooLarge { limit, .. } => {
                write!(f, "the answer is larger than the {limit} bytes allowed")
            }
            Self::Foreign { origin, .. } => write!(
                f,
                "`{origin}` is not an origin of this API; name it with `Api::also_at` if it may be asked"
            ),
            Self::TurnedAway {
                from, to, status, ..
            } => write!(
                f,
                "`{from}` redirects to `{to}`, which got no credential and says {}; if it needs one, call it by an \
                 `Api` of its own",
                status.as_u16()
            ),
            Self::Walk(_) | Self::Cancelled | Self::Invalid { .. } => Ok(()),
        }
    }
}

fn says(f: &mut fmt::Formatter<'_>, status: StatusCode, message: &str) -> fmt::Result {
    write!(f, "the source says {}", status.as_u16())?;
    if message.is_empty() {
        Ok(())
    } else {
        write!(f, " `{message}`")
    }
}

/// Rounds up, so that a caller does not return too early.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_operation_page_status_and_the_sources_message() {
        let at = At {
            operation: "GET issues".to_owned(),
            method: Method::GET,
            url: "https://acme.example/issues".to_owned(),
            page: Some(7),
            attempts: 1,
            request_id: None,
            gave_up: None,
        };
        let error = SourceError::Forbidden {
            scope: None,
            message: "missing scope issues:read".to_owned(),
            at: Box::new(at),
        };
        assert_eq!(
            error.to_string(),
            "`GET issues` (page 7): the source says 403 `missing scope issues:read`, at https://acme.example/issues"
        );
    }
}
