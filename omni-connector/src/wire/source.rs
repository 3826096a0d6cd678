//! A source: one configured connection of a company to one system (`protocol.md` §4.2).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{IntegrationType, SourceType, timestamp};

/// One configured connection, as the manager stores it. `Debug` shows nothing of what people or the connector put into it:
/// an admin may have typed a secret, and a connector keeps those of its webhooks in `connector_state`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The manager's id of the source.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The system it lives in.
    pub source_type: SourceType,
    /// `connector`, unless the manager itself serves the source.
    #[serde(default)]
    pub integration_type: IntegrationType,
    /// What the admin filled in; decoded into the connector's `Config`.
    pub config: Value,
    /// False when it was switched off.
    pub is_active: bool,
    /// True while it waits to be cleaned up.
    pub is_deleted: bool,
    /// Whether it belongs to the organisation or to one person.
    pub scope: SourceScope,
    /// How [`user_whitelist`](Self::user_whitelist) and [`user_blacklist`](Self::user_blacklist) are applied.
    pub user_filter_mode: UserFilterMode,
    /// E-mail addresses.
    pub user_whitelist: Option<Vec<String>>,
    /// E-mail addresses.
    pub user_blacklist: Option<Vec<String>>,
    /// Durable notes of the connector about this source, such as the id of a webhook.
    pub connector_state: Option<Value>,
    /// Checkpoint of the latest completed run.
    pub checkpoint: Option<Value>,
    /// Seconds between scheduled runs; none when they are off.
    pub sync_interval_seconds: Option<i32>,
    /// When it was made.
    #[serde(with = "timestamp::extended")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "timestamp::extended")]
    pub updated_at: OffsetDateTime,
    /// The user who made it.
    pub created_by: String,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("source_type", &self.source_type)
            .field("is_active", &self.is_active)
            .field("is_deleted", &self.is_deleted)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// Whether the source's user filter admits this person.
    ///
    /// Addresses are compared without regard to case; an empty one is admitted only when there is no filter. A filter
    /// whose list is missing admits nobody (whitelist) or everybody (blacklist).
    pub fn admits(&self, email: &str) -> bool {
        let email = email.trim();
        let listed = |list: &Option<Vec<String>>| {
            list.iter()
                .flatten()
                .any(|listed| listed.trim().to_lowercase() == email.to_lowercase())
        };
        match self.user_filter_mode {
            UserFilterMode::All => true,
            UserFilterMode::Whitelist => !email.is_empty() && listed(&self.user_whitelist),
            UserFilterMode::Blacklist => !email.is_empty() && !listed(&self.user_blacklist),
        }
    }
}

/// Whose a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceScope {
    /// The organisation's.
    Org,
    /// One person's.
    User,
}

/// Which people a source covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UserFilterMode {
    /// Everybody.
    All,
    /// Only those listed.
    Whitelist,
    /// All but those listed.
    Blacklist,
}
