//! Reasons why the manager refuses a request, with the statuses of `protocol.md` §3.1.

use serde_json::{Value, json};

use super::ActionError;
use crate::{
    oauth::CredentialError,
    runs::{CancelError, TriggerError},
    store::StoreError,
};

/// Error of the real manager's database for U+0000 in a string.
pub(crate) const NUL_IN_TEXT: &str =
    "error returned from database: invalid byte sequence for encoding \"UTF8\": 0x00";
/// Error of the real manager's database for U+0000 in JSON.
pub(crate) const NUL_IN_JSON: &str =
    "error returned from database: unsupported Unicode escape sequence";

/// Why the manager refuses a request. Each kind has one status.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// 400: the request is invalid.
    BadRequest(String),
    /// 404: something that the request names does not exist.
    NotFound(String),
    /// 409: conflicts with other work in progress.
    Conflict(String),
    /// 412, with a custom body: a precondition is missing.
    PreconditionFailed(Value),
    /// 413: the input is too large.
    TooLarge(String),
    /// 429: retry after this many seconds.
    Busy(u32),
    /// 500: a failure that the caller did not cause.
    Internal(String),
}

impl Refusal {
    pub(crate) fn source_not_found(id: &str) -> Self {
        Self::NotFound(format!("Source not found: {id}"))
    }

    pub(crate) fn credentials_not_found(source_id: &str) -> Self {
        Self::NotFound(format!("Credentials not found for source: {source_id}"))
    }

    pub(crate) fn connector_not_registered(source_type: &str) -> Self {
        Self::NotFound(format!(
            "Connector not registered for type: {source_type:?}"
        ))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Internal(format!("Database error: {error}"))
    }
}

impl From<CredentialError> for Refusal {
    fn from(error: CredentialError) -> Self {
        Self::Internal(format!("Database error: {error}"))
    }
}

impl From<CancelError> for Refusal {
    fn from(error: CancelError) -> Self {
        let text = error.to_string();
        match error {
            CancelError::RunNotFound(_)
            | CancelError::SourceNotFound(_)
            | CancelError::ConnectorNotConfigured(_) => Self::NotFound(text),
            CancelError::NotRunning(_) => Self::BadRequest(text),
            CancelError::Store(error) => error.into(),
        }
    }
}

impl From<TriggerError> for Refusal {
    fn from(error: TriggerError) -> Self {
        let text = error.to_string();
        match error {
            TriggerError::SourceNotFound(_) | TriggerError::ConnectorNotConfigured(_) => {
                Self::NotFound(text)
            }
            TriggerError::Inactive(_)
            | TriggerError::NotSyncable(_)
            | TriggerError::RealtimeUnavailable(_) => Self::BadRequest(text),
            TriggerError::AlreadyRunning(_) => Self::Conflict(text),
            TriggerError::GlobalLimit | TriggerError::ClassLimit(_) => {
                Self::Conflict(format!("{text}, try again later"))
            }
            TriggerError::Connector(error) => Self::Internal(error.to_string()),
            TriggerError::Store(error) => error.into(),
        }
    }
}

impl From<ActionError> for Refusal {
    fn from(error: ActionError) -> Self {
        let text = error.to_string();
        match error {
            ActionError::SourceNotFound(_)
            | ActionError::NotRegistered(_)
            | ActionError::NoCredentials(_)
            | ActionError::UserNotFound(_) => Self::NotFound(text),
            ActionError::NoSourceId
            | ActionError::SourceTypeWithoutTransient
            | ActionError::Unknown(..)
            | ActionError::OtherType(..)
            | ActionError::ReadOnly(_)
            | ActionError::AdminOnly(_)
            | ActionError::NoSourceType
            | ActionError::SourceWithTransient
            | ActionError::TransientWrite(_)
            | ActionError::NoUserId => Self::BadRequest(text),
            ActionError::NoDryRun(_) => Self::Conflict(text),
            ActionError::NotNative(_)
            | ActionError::Connector(_)
            | ActionError::Credential(_)
            | ActionError::Store(_) => Self::Internal(text),
            ActionError::NeedsUserAuth {
                source_id,
                source_type,
                provider,
            } => {
                let start = format!("/api/oauth/start?source_id={source_id}");
                Self::PreconditionFailed(json!({
                    "error": text,
                    "source_id": source_id,
                    "source_type": source_type,
                    "provider": provider,
                    "oauth_start_url": start,
                }))
            }
        }
    }
}

/// Returns whether any string or key holds U+0000, which Omni's database refuses in free JSON. The
/// six characters `\u0000` themselves are allowed.
pub(super) fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
