//! The names that generated code uses, in one module, so that expansions are short to read.

pub use core::option::Option::{self, None, Some};
pub use core::primitive::str;
pub use std::vec::Vec;

pub use anyhow::Result;
pub use async_trait::async_trait;
pub use serde::{Deserialize, Deserializer};
pub use serde_json::Value;

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

/// Expands to the schema of the value that a function with this return type yields: `result_schema!(Result<Issue>)`. It is an
/// `Option`, since some types have no schema.
#[doc(hidden)]
#[macro_export]
macro_rules! __result_schema {
    ($returned:ty) => {{
        #[allow(unused_imports)]
        use $crate::generated::NoResultSchema as _;
        $crate::generated::ResultSchema::<$returned>::SCHEMA
    }};
}

pub use __result_schema as result_schema;

/// Expands to the schema of a type: `type_schema!(Settings)`. It is an `Option`, since some types have no schema.
#[doc(hidden)]
#[macro_export]
macro_rules! __type_schema {
    ($described:ty) => {{
        #[allow(unused_imports)]
        use $crate::generated::NoTypeSchema as _;
        $crate::generated::TypeSchema::<$described>::SCHEMA
    }};
}

pub use __type_schema as type_schema;
