//! The target of the macros: arguments by type, and static tables of a connector's functions.
//!
//! Annotated functions use only the argument types. Everything else is called by generated code. It is public because
//! that code is in the author's crate, and generic only where a type must be decoded.

mod action;
mod annotated;
mod arg;
mod argument;
mod call;
mod check;
#[cfg(test)]
mod checked;
mod checkpoint;
mod client;
mod collected;
mod doc_ref;
mod hook;
mod input;
mod limits;
mod operator;
mod output;
mod replaced;
mod schema;
mod skill;
mod sync;
mod webhook;

pub use action::{Action, ActionFn, ActionHead};
pub use annotated::*;
pub use arg::{Arg, ArgType};
pub use argument::{
    Actor, Args, Config, CredentialSettings, Credentials, DeclaredAs, FromCall, ItemId,
};
pub use call::{Call, CallOf, OfAction, OfSync, OfValidate, Pending, pending};
pub use check::{
    assert_mode_declared, assert_one_mcp, assert_synced, assert_type_declared,
    assert_unique_action, assert_unique_operator,
};
pub use checkpoint::Checkpoint;
pub use client::client;
pub use collected::{Collected, collected};
pub use doc_ref::DocRef;
pub use hook::{
    HookArgument, HookReturn, ReplacedReturn, hook_answer, hook_argument, pairs_answer,
    replaced_answer,
};
pub use input::Input;
#[cfg(test)]
pub(crate) use input::schema_of;
pub use limits::{Bound, Limits};
pub use operator::{OperatorFn, read};
pub use output::{NoResultSchema, NoTypeSchema, ResultSchema, TypeSchema};
pub use replaced::Annotated;
pub use schema::{SchemaFn, input_schema};
pub use skill::DeclaredSkill;
pub use sync::{Sync, SyncReturn, needs_credentials, sync_answer};
pub use webhook::{OfSourceWebhook, OfWebhook, WebhookFn, WebhookReturn, webhook_answer};
