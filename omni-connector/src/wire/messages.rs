//! Requests and answers of the protocol that are neither records nor events (`protocol.md` §2, §3).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{ConnectorEvent, ServiceCredential, Source, SyncType, timestamp};

/// `POST /sync` of a connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SyncRequest {
    /// The run to execute.
    pub sync_run_id: String,
    /// Its source.
    pub source_id: String,
    /// Whether to sync everything or only changes.
    pub sync_mode: SyncType,
    /// Completion of the latest completed run, for `incremental`.
    #[serde(
        default,
        with = "timestamp::rfc3339_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_sync_at: Option<OffsetDateTime>,
    /// The checkpoint to resume from. An explicit null counts as none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Value>,
    /// Whether this request resumes an interrupted run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_resume: bool,
    /// Only this item is wanted. Omni never sends it; the development manager does when a person tries a failed item again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refetch: Option<String>,
}

impl SyncRequest {
    /// Creates the request for a run that starts without a checkpoint.
    pub fn new(
        sync_run_id: impl Into<String>,
        source_id: impl Into<String>,
        sync_mode: SyncType,
    ) -> Self {
        Self {
            sync_run_id: sync_run_id.into(),
            source_id: source_id.into(),
            sync_mode,
            last_sync_at: None,
            checkpoint: None,
            is_resume: false,
            refetch: None,
        }
    }
}

/// Answer of `/sync` and `/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StatusResponse {
    /// `started`, `cancelled`, `not_found` or `error`.
    pub status: String,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Answer of `GET /sync/{id}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunningResponse {
    /// Whether this process executes the run.
    pub running: bool,
}

/// A body with only a run id: `POST /cancel`, `POST /sdk/sync/cancel`, and the answer to creating a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunId {
    /// The run.
    pub sync_run_id: String,
}

impl RunId {
    /// Names a run.
    pub fn new(sync_run_id: impl Into<String>) -> Self {
        Self {
            sync_run_id: sync_run_id.into(),
        }
    }
}

/// `POST /action` of a connector. `Debug` omits the caller's input.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ActionRequest {
    /// The action's name.
    pub action: String,
    /// The caller's arguments; null counts as an empty object.
    #[serde(default)]
    pub params: Value,
    /// The credential the action runs with.
    #[serde(default)]
    pub credentials: Option<ServiceCredential>,
    /// The source; null before one exists.
    #[serde(default)]
    pub source: Option<Source>,
    /// Address of the acting person; null for the system's own calls.
    #[serde(default)]
    pub actor_email: Option<String>,
}

impl fmt::Debug for ActionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionRequest")
            .field("action", &self.action)
            .field("credentials", &self.credentials)
            .field("source", &self.source)
            .field("actor_email", &self.actor_email)
            .finish_non_exhaustive()
    }
}

/// `POST /sdk/events/batch` of the manager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventBatch {
    /// The run that sends the events.
    pub sync_run_id: String,
    /// Its source.
    pub source_id: String,
    /// Events in the order in which they happened.
    pub events: Vec<ConnectorEvent>,
}

impl EventBatch {
    /// Creates a batch of one run.
    pub fn new(
        sync_run_id: impl Into<String>,
        source_id: impl Into<String>,
        events: Vec<ConnectorEvent>,
    ) -> Self {
        Self {
            sync_run_id: sync_run_id.into(),
            source_id: source_id.into(),
            events,
        }
    }
}

/// `POST /sdk/content` of the manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContentRequest {
    /// The run that stores the content.
    pub sync_run_id: String,
    /// The text.
    pub content: String,
    /// Accepted and ignored by the manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// Answer of the two routes that store content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContentId {
    /// The stored text's id.
    pub content_id: String,
}

impl ContentId {
    /// Names a stored text.
    pub fn new(content_id: impl Into<String>) -> Self {
        Self {
            content_id: content_id.into(),
        }
    }
}

/// An application error of either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorBody {
    /// What went wrong.
    pub error: String,
}
