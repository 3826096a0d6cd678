//! Converts the errors of an MCP server and of the client library into errors of the caller, in our words.

use axum::http::StatusCode;
use rmcp::{ServiceError, model::ErrorCode, service::ClientInitializeError};

use super::http_failure::{self, HttpFailure};
use crate::{
    connector::{ActionError, McpServer},
    redact::Secrets,
};

/// The reason why a connection failed.
pub(super) enum ConnectFailure {
    Start(String),
    /// With the end of the server's standard error.
    Initialize(Box<ClientInitializeError>, String),
}

impl ConnectFailure {
    /// Returns whether the server refused to begin, and gave a reason.
    pub(super) fn is_refusal(&self) -> bool {
        let Self::Initialize(error, _) = self else {
            return false;
        };
        matches!(**error, ClientInitializeError::JsonRpcError(_))
    }

    /// Returns the failure that says more: the second one, unless the server only did not know its method.
    pub(super) fn or(self, second: Self) -> Self {
        let is_unknown = match &second {
            Self::Initialize(error, _) => match &**error {
                ClientInitializeError::JsonRpcError(error) => {
                    error.code == ErrorCode::METHOD_NOT_FOUND
                }
                ClientInitializeError::ConnectionClosed(_) => true,
                _ => false,
            },
            Self::Start(_) => false,
        };
        if is_unknown { self } else { second }
    }

    pub(super) fn explain(self, server: &McpServer) -> ActionError {
        let name = name(server);
        match self {
            Self::Start(reason) => ActionError::upstream(format!("{name} {reason}")),
            Self::Initialize(error, _) if error.is_authorization_required() => {
                ActionError::unauthorized(format!("{name} refused the credentials"))
            }
            Self::Initialize(error, stderr) => {
                let said = if stderr.is_empty() {
                    String::new()
                } else {
                    format!("\nit said: {stderr}")
                };
                match initialize_reason(&error) {
                    Reason::Said(reason) => {
                        let message = format!("{name} cannot be used: {reason}{said}");
                        ActionError::upstream(secrets(server).redact(&message))
                    }
                    Reason::Refused(failure) => refused(failure, server),
                }
            }
        }
    }
}

/// Returns the server's display name.
pub(super) fn name(server: &McpServer) -> String {
    match server {
        McpServer::Stdio(server) => format!("the MCP server `{}`", server.command),
        McpServer::Http(server) => {
            format!("the MCP server at `{}`", crate::redact::redact(&server.url))
        }
    }
}

/// Returns the secrets of a server: the values of its variables and headers.
pub(super) fn secrets(server: &McpServer) -> Secrets {
    let values = match server {
        McpServer::Stdio(server) => &server.env,
        McpServer::Http(server) => &server.headers,
    };
    Secrets::of_all(values.values().cloned())
}

/// Converts an error of a call into the caller's error.
pub(super) fn explain(error: &ServiceError, server: &McpServer) -> ActionError {
    match error {
        ServiceError::McpError(refusal) => {
            let message = refusal.message.to_string();
            match refusal.code {
                ErrorCode::RESOURCE_NOT_FOUND => ActionError::not_found(message),
                ErrorCode::INVALID_PARAMS | ErrorCode::INVALID_REQUEST => {
                    ActionError::bad_request(message)
                }
                _ => ActionError::upstream(message),
            }
        }
        error if error.is_authorization_required() => {
            ActionError::unauthorized(format!("{} refused the credentials", name(server)))
        }
        ServiceError::TransportSend(error) => match reason(&*error.error) {
            Reason::Said(reason) => failed(&reason, server),
            Reason::Refused(failure) => refused(failure, server),
        },
        ServiceError::TransportClosed => failed("it closed the connection", server),
        ServiceError::UnexpectedResponse => failed(
            "its answer is not one that the protocol provides for",
            server,
        ),
        error => failed(&error.to_string(), server),
    }
}

fn failed(reason: &str, server: &McpServer) -> ActionError {
    let message = format!("{} failed: {reason}", name(server));
    ActionError::upstream(secrets(server).redact(&message))
}

/// Converts a refusal by its status.
fn refused(failure: &HttpFailure, server: &McpServer) -> ActionError {
    let name = name(server);
    let message = |what: &str| secrets(server).redact(&format!("{name} {what}: {failure}"));
    match failure.status {
        Some(StatusCode::UNAUTHORIZED) => {
            ActionError::unauthorized(format!("{name} refused the credentials"))
        }
        Some(StatusCode::FORBIDDEN) => ActionError::forbidden(message("forbids this")),
        Some(StatusCode::TOO_MANY_REQUESTS) => {
            let message = message("takes no more calls for now");
            ActionError::rate_limited(message, failure.retry_after)
        }
        _ => ActionError::upstream(message("failed")),
    }
}

/// The cause of a client library error, without type names.
enum Reason<'e> {
    Said(String),
    Refused(&'e HttpFailure),
}

fn reason<'e>(error: &'e (dyn std::error::Error + 'static)) -> Reason<'e> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<http_failure::Failure>() {
            Some(http_failure::Failure::Client(failure)) => return Reason::Refused(failure),
            Some(http_failure::Failure::SessionExpired) => {
                return Reason::Said("it does not know its own session".to_owned());
            }
            _ => cause = error.source(),
        }
    }
    Reason::Said(chain(error))
}

fn initialize_reason(error: &ClientInitializeError) -> Reason<'_> {
    match error {
        ClientInitializeError::TransportError { error, .. } => reason(&*error.error),
        ClientInitializeError::JsonRpcError(error) => Reason::Said(error.message.to_string()),
        ClientInitializeError::ConnectionClosed(_) => {
            Reason::Said("it closed the connection before it was ready".to_owned())
        }
        ClientInitializeError::ExpectedInitResponse(_)
        | ClientInitializeError::ExpectedInitResult(_) => {
            Reason::Said("it does not answer `initialize` as the protocol asks".to_owned())
        }
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => initialize_reason(fallback),
        other => Reason::Said(other.to_string()),
    }
}

/// Builds the timeout error.
pub(super) fn too_slow(server: &McpServer) -> ActionError {
    let seconds = server.timeout().as_secs_f32();
    ActionError::timeout(format!(
        "{} did not answer within {seconds} s",
        name(server)
    ))
}

/// Returns whether the connection is broken, not only the call.
pub(super) fn is_broken(error: &ServiceError) -> bool {
    match error {
        ServiceError::TransportClosed => true,
        ServiceError::TransportSend(error) => match reason(&*error.error) {
            Reason::Refused(failure) => failure.status.is_none(),
            Reason::Said(_) => true,
        },
        _ => false,
    }
}

/// Returns whether the server refused a call with a status that may concern the session: not its rate, not one person.
pub(super) fn is_refused(error: &ServiceError) -> bool {
    let ServiceError::TransportSend(error) = error else {
        return false;
    };
    let Reason::Refused(failure) = reason(&*error.error) else {
        return false;
    };
    let of_call = [StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS];
    failure
        .status
        .is_some_and(|status| !of_call.contains(&status))
}

/// Formats an error with its causes, which rmcp's messages omit.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
