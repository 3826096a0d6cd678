//! Why an action was not called, or not answered.

use omni_connector::SourceType;

use crate::{oauth::CredentialError, state::ConnectorError, store::StoreError};

/// Why an action was not called, or not answered (`protocol.md` §6.2, §6.3).
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The call names no source.
    #[error("source_id is required")]
    NoSourceId,
    /// The call names a source and a type.
    #[error("source_type is only valid with transient_credentials")]
    SourceTypeWithoutTransient,
    /// The source does not exist.
    #[error("Source not found: {0}")]
    SourceNotFound(String),
    /// Connectors do not serve the source's type.
    #[error("unknown source type: {0}")]
    NotNative(String),
    /// No live connector claims the type.
    #[error("Connector not registered for type: {0:?}")]
    NotRegistered(SourceType),
    /// The connector has no action of that name.
    #[error("Unknown action '{0}' for source type {1:?}")]
    Unknown(String, SourceType),
    /// The action does not list the source's type.
    #[error("Action '{0}' does not support source type {1:?}")]
    OtherType(String, SourceType),
    /// The action writes, and the connector or the source is read-only.
    #[error("Action '{0}' is not allowed: source is read-only")]
    ReadOnly(String),
    /// The source has no credential row for the caller. Even a connector that needs no credential
    /// needs a row.
    #[error("Credentials not found for source: {0}")]
    NoCredentials(String),
    /// The person has to connect an account first.
    #[error("needs_user_auth")]
    NeedsUserAuth {
        /// The source.
        source_id: String,
        /// The source's type.
        source_type: String,
        /// The provider of the account.
        provider: String,
    },
    /// The user does not exist.
    #[error("User not found: {0}")]
    UserNotFound(String),
    /// The action is for administrators.
    #[error("Action '{0}' requires admin privileges")]
    AdminOnly(String),
    /// A call with transient credentials names no type.
    #[error("source_type is required when transient_credentials are provided")]
    NoSourceType,
    /// A call with transient credentials names a stored source.
    #[error("source_id must not be set when transient_credentials are provided")]
    SourceWithTransient,
    /// A call with transient credentials would write.
    #[error("Transient action '{0}' must be read-only")]
    TransientWrite(String),
    /// A call with transient credentials names no user.
    #[error("user_id is required in transient mode")]
    NoUserId,
    /// The connector makes no dry runs, or not now.
    #[error("No dry run: {0}")]
    NoDryRun(String),
    /// The connector could not be reached.
    #[error("{0}")]
    Connector(#[from] ConnectorError),
    /// The credential cannot be returned.
    #[error("Database error: {0}")]
    Credential(#[from] CredentialError),
    /// The store failed.
    #[error("Database error: {0}")]
    Store(#[from] StoreError),
}
