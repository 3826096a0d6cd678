//! What the macros write against: arguments by type, and static tables of a connector's functions.
//!
//! An annotated function needs nothing from here but the argument types. Everything else is called by generated code only;
//! it is public because that code stands in the author's crate, and generic only where a type must be decoded.

mod action;
mod argument;
mod doc_ref;
mod input;
mod limits;
mod operator;
mod schema;
mod sync;
mod unique;

pub use action::{Action, ActionFn, action_definitions, action_scopes, call_action, input_once};
pub use argument::{
    Actor, Args, Call, CallOf, Checkpoint, Config, Credentials, FromCall, OfAction, OfSync,
};
pub use doc_ref::DocRef;
pub use input::{Arg, ArgType, Input};
pub use limits::{Bound, Limits};
pub use operator::{OperatorFn, attributes_schema, read};
pub use schema::{SchemaFn, input_schema};
pub use sync::{Sync, needs_credentials, run_sync};
pub use unique::{assert_unique_action, assert_unique_operator};

use crate::contract::{Connector, Operator};

/// The annotated methods of a connector: what `#[connector]` on its `impl` block collects.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no annotated `impl` block",
    label = "this connector cannot sync anything yet",
    note = "help: put `#[connector]` on `impl {Self}` and `#[sync]` on one of its methods"
)]
pub trait Methods: Connector + Sized {
    /// Methods with `#[sync]`.
    const SYNCS: &'static [Sync<Self>];
    /// Methods with `#[action]`.
    const ACTIONS: &'static [Action<Self>];
    /// Functions with `#[search_operator]`.
    const OPERATORS: &'static [Operator];
}
