//! What the macros write against: arguments by type, and static tables of a connector's functions.
//!
//! An annotated function needs nothing from here but the argument types. Everything else is called by generated code only;
//! it is public because that code stands in the author's crate, and generic only where a type must be decoded.

mod action;
mod argument;
mod call;
mod check;
mod checkpoint;
mod client;
mod doc_ref;
mod hook;
mod input;
mod limits;
mod operator;
mod output;
mod schema;
mod shape;
mod sync;
mod table;
mod webhook;

pub use action::{Action, ActionFn, action_scopes, actions, call_action, input, input_once};
pub use argument::{Actor, Args, Config, Credentials, DeclaredAs, FromCall};
pub use call::{Call, CallOf, Called, OfAction, OfSync, OfValidate};
pub use check::{
    assert_mode_declared, assert_one_mcp, assert_synced, assert_type_declared,
    assert_unique_action, assert_unique_operator,
};
pub use checkpoint::Checkpoint;
pub use doc_ref::DocRef;
pub use hook::{
    Asked, Enrich, EnrichReturn, McpReturn, OAuthReturn, PairsReturn, Prepare, Ready, SkillsReturn,
    Validate, asked, credential_ready, enrich, enriched, mcp_server, oauth, oauth_config, pairs,
    prepare_mcp_env, prepare_mcp_headers, server, skill, skill_list, skills, validate,
};
pub use input::{Arg, ArgType, Input};
pub use limits::{Bound, Limits};
pub use operator::{OperatorFn, attributes_schema, operators, read};
pub use output::{AnyOutput, Output, action_output};
pub use schema::{SchemaFn, input_schema};
pub use shape::{AnyShape, Shape};
pub use sync::{Sync, SyncReturn, ended, needs_credentials, requires_credentials, sync};
pub use table::{Declared, Methods, source_types, sync_modes};
pub use webhook::{
    OfSourceWebhook, OfWebhook, WebhookFn, WebhookReturn, WebhookThunk, asked_for, call_webhook,
    webhooks,
};
