//! What code that the macros write calls the things it needs: one name space, so that an expansion is short to read.

pub use core::option::Option::{self, None, Some};
pub use core::primitive::str;
pub use std::vec::Vec;

pub use anyhow::Result;
pub use async_trait::async_trait;
pub use serde::{Deserialize, Deserializer};
pub use serde_json::Value;

pub use crate::{
    connector::{ActionCall, ActionError, Connector, McpServer, WebhookCall, actions::answer},
    declare::*,
    manager::ManagerClient,
    run::{Operator, SyncContext},
    schema::credential::{CredentialSet, credential_form, credential_set},
    wire::{
        CredentialReady, McpCredentials, OAuthTokens, ServiceCredential, Source, SourceType,
        SyncType,
    },
};
