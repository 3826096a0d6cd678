//! What code that the macros write calls the things it needs: one name space, so that an expansion is short to read.

pub use core::option::Option::{self, None, Some};
pub use std::vec::Vec;

pub use crate::{
    Connector, ManagerClient, McpServer, Operator, Result, ServiceCredential, Source, SourceType,
    SyncContext, SyncType, Value, actions::answer, async_trait, declare::*,
};
