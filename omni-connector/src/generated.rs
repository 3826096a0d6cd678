//! What code that the macros write calls the things it needs: one name space, so that an expansion is short to read.

pub use core::{
    any::TypeId,
    option::Option::{self, None, Some},
    result::Result::Ok,
    time::Duration,
};
pub use std::{boxed::Box, collections::HashMap, string::String, vec::Vec};

pub use crate::{
    Result, Value, async_trait,
    connector::{
        ActionCall, Connector, McpServer, Webhook, WebhookCall,
        actions::{Response, answer},
    },
    declare::*,
    manager::ManagerClient,
    run::{Operator, SyncContext},
    wire::{
        ActionDefinition, ActionMode, AttributeValue, CredentialReady, McpCredentials, OAuthConfig,
        OAuthExtra, OAuthTokens, ServiceCredential, Skill, Source, SourceType, SyncType, ValueType,
    },
};
pub use futures_util::future::BoxFuture;
