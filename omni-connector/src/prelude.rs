//! What a connector's file begins with: `use omni_connector::prelude::*;`.

pub use ::anyhow::{Context as _, Result, anyhow, bail};
pub use schemars::{self, JsonSchema};
pub use serde::{self, Deserialize, Serialize};
pub use serde_json::{self, Value, json};
pub use time::OffsetDateTime;
pub use url::Url;

pub use crate::{
    ActionError, ActionResponse, Connector, Document, DocumentPermissions, Group, HttpClient,
    Listing, ManagerClient, SecretString, ServiceCredential, Source, SourceType, SyncContext,
    SyncType,
};
