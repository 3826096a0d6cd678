//! What a connector's file begins with: `use omni_connector::prelude::*;`.

pub use ::anyhow::{Context as _, Result, anyhow, bail};
pub use schemars::{self, JsonSchema};
pub use serde::{self, Deserialize, Serialize};
pub use serde_json::{self, Value, json};
pub use time::{Date, OffsetDateTime};
pub use url::Url;

pub use crate::{
    ActionError, Actor, Args, Checkpoint, Config, Connector, Credentials, Document,
    DocumentPermissions, Email, Group, HttpClient, Listing, ManagerClient, OAuthConfig,
    SecretString, ServiceCredential, Skill, Source, SourceType, SyncContext, SyncType, action,
    actions::{Raw, Text},
    connector, search_operator, sync,
};
