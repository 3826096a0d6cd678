//! The request body of the manager's `POST /action` (`protocol.md` §6.1).

use omni_connector::{AuthType, SourceType};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct ActionCall {
    pub(crate) source_id: Option<String>,
    pub(crate) source_type: Option<SourceType>,
    pub(crate) user_id: Option<String>,
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) params: Value,
    pub(crate) transient_credentials: Option<TransientCredentials>,
}

/// Credentials to test before they are stored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransientCredentials {
    pub(crate) provider: Provider,
    pub(crate) auth_type: AuthType,
    pub(crate) principal_email: Option<String>,
    pub(crate) credentials: Value,
    #[serde(default)]
    pub(crate) config: Value,
}

impl std::fmt::Debug for TransientCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransientCredentials")
            .field("provider", &self.provider)
            .field("auth_type", &self.auth_type)
            .field("principal_email", &self.principal_email)
            .finish_non_exhaustive()
    }
}

/// Providers of credentials (`protocol.md` §4.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Provider {
    Google,
    Slack,
    Atlassian,
    Github,
    Microsoft,
    Notion,
    Hubspot,
    Fireflies,
    Imap,
    Clickup,
    Linear,
    PaperlessNgx,
    Nextcloud,
    GoogleAds,
    Darwinbox,
    RemoteMcp,
    Windshift,
}

impl Provider {
    /// Returns the wire name.
    pub(crate) fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(name)) => name,
            _ => String::new(),
        }
    }
}
