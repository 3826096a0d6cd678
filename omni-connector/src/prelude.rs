//! The imports at the top of a connector's file: `use omni_connector::prelude::*;`.

pub use ::anyhow::{Context as _, Result, anyhow, bail, ensure};
pub use schemars::{self, JsonSchema};
pub use serde::{self, Deserialize, Serialize};
pub use serde_json::{self, Value, json};
pub use time::{Date, OffsetDateTime};
pub use url::Url;

pub use crate::{
    connector::{
        ActionError, Connector, Unavailable, Webhook, WebhookRequest,
        actions::{File, Raw, Text},
    },
    declare::{
        Actor, Args, Call, Checkpoint, Config, CredentialSettings, Credentials, DocRef, FromCall,
        ItemId,
    },
    http::{Api, ApiClient, Auth, Pages, Paging, Quota, SourceError},
    macros::{
        CredentialSet, FromCall, action, connector, credential_ready, enrich, mcp, mcp_env,
        mcp_headers, oauth, refetch, replaces, search_operator, skills, sync, webhook,
    },
    manager::ManagerClient,
    run::{
        Access, Document, Group, Inventory, Listing, Members, News, Packed, Part, Partitions,
        SyncContext, Walked, Watch, Watermark,
    },
    schema::CredentialSet,
    transport::HttpClient,
    wire::{
        Day, DocumentPermissions, Email, OAuthConfig, PersonSyncRecord, SecretString,
        ServiceCredential, Skill, Source, SourceType, SyncType, Timestamp,
    },
};
