//! The target of the macros: arguments by type, and static tables of a connector's functions.
//!
//! Annotated functions use only the argument types. Everything else is called by generated code. It is public because
//! that code is in the author's crate, and generic only where a type must be decoded.

mod action;
mod annotated;
mod argument;
mod as_annotated;
mod call;
mod check;
#[cfg(test)]
mod checked;
mod checkpoint;
mod client;
mod doc_ref;
mod hook;
mod input;
mod limits;
mod operator;
mod orphan;
mod output;
mod schema;
mod shape;
mod skill;
mod sync;
mod webhook;

pub use action::{Action, ActionFn, Described, whole_input};
pub use annotated::*;
pub use argument::{Actor, Args, Config, CredentialSettings, Credentials, DeclaredAs, FromCall};
pub use as_annotated::Annotated;
pub use call::{Call, CallOf, Called, OfAction, OfSync, OfValidate, called};
pub use check::{
    assert_mode_declared, assert_one_mcp, assert_synced, assert_type_declared,
    assert_unique_action, assert_unique_operator,
};
pub use checkpoint::Checkpoint;
pub use client::client;
pub use doc_ref::DocRef;
pub use hook::{Asked, Returned, asked, returned};
#[cfg(test)]
pub(crate) use input::schema_of;
pub use input::{Arg, ArgType, Input};
pub use limits::{Bound, Limits};
pub use operator::{OperatorFn, read};
pub use orphan::{Collected, collected};
pub use output::{AnyOutput, Output};
pub use schema::{SchemaFn, input_schema};
pub use shape::{AnyShape, Is};
pub use skill::DeclaredSkill;
pub use sync::{Sync, SyncReturn, ended, needs_credentials};
pub use webhook::{OfSourceWebhook, OfWebhook, WebhookFn, WebhookReturn, asked_for};
