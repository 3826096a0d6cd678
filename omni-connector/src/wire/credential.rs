//! Stored credentials, as the manager sends them (`protocol.md` §4.3, §4.4). `Debug` shows the secret of neither type.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{AuthType, Source, timestamp};

/// One stored credential.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceCredential {
    /// The manager's id of the row, `transient` before a source exists.
    pub id: String,
    /// The source it belongs to, `transient` before one exists.
    pub source_id: String,
    /// The user who owns it; none for the organisation's credential.
    pub user_id: Option<String>,
    /// The provider it is for, such as `google`.
    pub provider: String,
    /// What kind of secret it is.
    pub auth_type: AuthType,
    /// The address of the account it acts as.
    pub principal_email: Option<String>,
    /// The secret itself; decoded into the connector's `Credentials`.
    pub credentials: Value,
    /// Settings that are not secret, such as `granted_scopes`.
    pub config: Value,
    /// When it expires.
    #[serde(with = "timestamp::extended::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last validated.
    #[serde(with = "timestamp::extended::option")]
    pub last_validated_at: Option<OffsetDateTime>,
    /// When it was stored.
    #[serde(with = "timestamp::extended")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "timestamp::extended")]
    pub updated_at: OffsetDateTime,
}

impl ServiceCredential {
    /// Creates a credential of a source that is stored at this time. All other fields are empty.
    pub fn new(
        id: impl Into<String>,
        source_id: impl Into<String>,
        provider: impl Into<String>,
        auth_type: AuthType,
        credentials: Value,
        stored_at: OffsetDateTime,
    ) -> Self {
        Self {
            id: id.into(),
            source_id: source_id.into(),
            user_id: None,
            provider: provider.into(),
            auth_type,
            principal_email: None,
            credentials,
            config: Value::Object(serde_json::Map::new()),
            expires_at: None,
            last_validated_at: None,
            created_at: stored_at,
            updated_at: stored_at,
        }
    }
}

impl fmt::Debug for ServiceCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceCredential")
            .field("id", &self.id)
            .field("source_id", &self.source_id)
            .field("user_id", &self.user_id)
            .field("provider", &self.provider)
            .field("auth_type", &self.auth_type)
            .field("principal_email", &self.principal_email)
            .field("credentials", &format_args!("[redacted]"))
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The part of a credential that an MCP server needs.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct McpCredentials {
    /// The secret itself.
    pub credentials: Value,
    /// Settings that are not secret.
    pub config: Value,
    /// What kind of secret it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<AuthType>,
    /// The address of the account it acts as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_email: Option<String>,
    /// The config of the source that the call is about: it may name the host that the secret belongs to. A call that names no
    /// source has the config with which the same secret was last used; none in a process that has not seen the secret yet.
    #[serde(skip)]
    pub source_config: Option<Value>,
}

impl McpCredentials {
    /// Adds the source that the call is about.
    pub(crate) fn about(mut self, source: &Source) -> Self {
        self.source_config = Some(source.config.clone());
        self
    }

    /// What an MCP server needs of a stored credential.
    pub fn of(credential: &ServiceCredential) -> Self {
        Self {
            credentials: credential.credentials.clone(),
            config: credential.config.clone(),
            auth_type: Some(credential.auth_type),
            principal_email: credential.principal_email.clone(),
            source_config: None,
        }
    }
}

impl fmt::Debug for McpCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpCredentials")
            .field("credentials", &format_args!("[redacted]"))
            .field("auth_type", &self.auth_type)
            .field("principal_email", &self.principal_email)
            .finish_non_exhaustive()
    }
}
