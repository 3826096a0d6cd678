//! What a connector's file begins with: `use omni_connector::prelude::*;`.

pub use ::anyhow::{Context as _, Result, anyhow, bail, ensure};
pub use schemars::{self, JsonSchema};
pub use serde::{self, Deserialize, Serialize};
pub use serde_json::{self, Value, json};
pub use time::{Date, OffsetDateTime};
pub use url::Url;

pub use crate::{
    ActionError, Actor, Args, Checkpoint, Config, Connector, Credentials, DocRef, Document,
    DocumentPermissions, Email, Group, HttpClient, Listing, ManagerClient, OAuthConfig,
    PersonSyncRecord, SecretString, ServiceCredential, Skill, Source, SourceType, SyncContext,
    SyncType, Walked, Webhook, WebhookRequest, action,
    actions::{File, Raw, Text},
    connector,
    contract::{Day, Timestamp},
    declare::{Call, FromCall},
    search_operator, sync,
};
