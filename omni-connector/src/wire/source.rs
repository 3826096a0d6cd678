//! A source: one configured connection of a company to one system (`protocol.md` §4.2).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{IntegrationType, SourceType, timestamp};

/// One configured connection, as the manager stores it. `Debug` omits everything that people or the connector filled in.
/// An admin may have typed a secret, and a connector keeps webhook secrets in `connector_state`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Source {
    /// The manager's id of the source.
    pub id: String,
    /// The name shown to people.
    pub name: String,
    /// The type of the system it connects to.
    pub source_type: SourceType,
    /// `connector`, unless the manager itself serves the source.
    #[serde(default)]
    pub integration_type: IntegrationType,
    /// The admin's settings, decoded into the connector's `Config`.
    pub config: Value,
    /// False when an admin disabled the source.
    pub is_active: bool,
    /// True while the source waits for cleanup.
    pub is_deleted: bool,
    /// Whether it belongs to the organisation or to one person.
    pub scope: SourceScope,
    /// How [`user_whitelist`](Self::user_whitelist) and [`user_blacklist`](Self::user_blacklist) are applied.
    pub user_filter_mode: UserFilterMode,
    /// E-mail addresses that a whitelist admits.
    pub user_whitelist: Option<Vec<String>>,
    /// E-mail addresses that a blacklist excludes.
    pub user_blacklist: Option<Vec<String>>,
    /// The connector's durable state for this source, such as the id of a webhook.
    pub connector_state: Option<Value>,
    /// Checkpoint of the latest completed run.
    pub checkpoint: Option<Value>,
    /// Seconds between scheduled runs; none when scheduling is off.
    pub sync_interval_seconds: Option<i32>,
    /// When the source was created.
    #[serde(with = "timestamp::extended")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "timestamp::extended")]
    pub updated_at: OffsetDateTime,
    /// The user who created the source.
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
    /// Returns whether the source's user filter admits this person.
    ///
    /// The comparison ignores case. An empty address is admitted only when there is no filter. A filter without a list
    /// admits nobody (whitelist) or everybody (blacklist).
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

/// The owner of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
