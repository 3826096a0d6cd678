//! The names that generated code uses, in one module, so that expansions are short to read.

pub use core::option::Option::{self, None, Some};
pub use core::primitive::str;
pub use std::vec::Vec;

pub use anyhow::Result;
pub use async_trait::async_trait;
pub use serde::{Deserialize, Deserializer};
pub use serde_json::Value;

pub use crate::__result_schema as result_schema;
pub use crate::{
    connector::{
        ActionCall, ActionError, Connector, McpServer, WebhookCall, actions::action_answer,
    },
    declare::*,
    manager::ManagerClient,
    run::{Operator, SyncContext},
    schema::credential::{CredentialSet, credential_form, credential_set},
    wire::{
        CredentialReady, McpCredentials, OAuthTokens, ServiceCredential, Source, SourceType,
        SyncType,
    },
};
