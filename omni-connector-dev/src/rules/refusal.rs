//! Why the manager refuses a request, by the statuses of `protocol.md` §3.1.

use serde_json::Value;

use crate::{oauth::CredentialError, store::StoreError};

/// What a database of the real manager says of U+0000 in a text.
pub(crate) const NUL_IN_TEXT: &str =
    "error returned from database: invalid byte sequence for encoding \"UTF8\": 0x00";
/// What it says of U+0000 in JSON.
pub(crate) const NUL_IN_JSON: &str =
    "error returned from database: unsupported Unicode escape sequence";

/// Why the manager refuses a request. Each kind has one status.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// 400: the request is wrong.
    BadRequest(String),
    /// 404: a thing that it names does not exist.
    NotFound(String),
    /// 409: something else is under way.
    Conflict(String),
    /// 412, with a body of its own: something must be done first.
    PreconditionFailed(Value),
    /// 413: the input is too large.
    TooLarge(String),
    /// 429, with the seconds after which to come back.
    Busy(u32),
    /// 500: something failed that is not the caller's.
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

/// Whether any text or key holds U+0000, which Omni's database refuses in free JSON. A text that spells `\u0000` is a text.
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
