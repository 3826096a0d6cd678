//! What code that the macros write calls the things it needs: one name space, so that an expansion is short to read.

pub use core::{
    any::TypeId,
    option::Option::{self, None, Some},
    result::Result::Ok,
    time::Duration,
};
pub use std::{boxed::Box, collections::HashMap, string::String, vec::Vec};

pub use crate::{
    ActionCall, ActionDefinition, ActionMode, BoxFuture, Connector, CredentialReady, ManagerClient,
    McpCredentials, McpServer, OAuthConfig, OAuthExtra, OAuthTokens, Operator, Response, Result,
    ServiceCredential, Skill, Source, SourceType, SyncContext, SyncType, Value, ValueType, Webhook,
    WebhookCall, actions::answer, async_trait, contract::AttributeValue, declare::*,
};
