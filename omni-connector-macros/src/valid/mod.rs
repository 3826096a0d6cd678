//! The rules. Each module reads one kind of declaration, reports all mistakes in it, and yields a type that only
//! validated data has. `expand` does not check it again.

mod action;
mod arg;
mod connector;
mod credential_set;
mod docs;
mod fits;
mod hook;
mod names;
mod operator;
mod parameter;
mod signature;
mod sync;
mod webhook;

pub(crate) use action::{Action, Mode, check_distinct as check_actions};
pub(crate) use arg::{Arg, Default, Limit};
pub(crate) use connector::{Connector, Constant, Skill, SkillText};
pub(crate) use credential_set::{CredentialSet, Form};
pub(crate) use fits::name_and_argument;
pub(crate) use hook::Hook;
pub(crate) use operator::{Operator, check_distinct as check_operators};
pub(crate) use parameter::{Parameter, Supplied};
pub(crate) use signature::Place;
pub(crate) use sync::{Sync, check_distinct as check_syncs};
pub(crate) use webhook::{Webhook, check_distinct as check_webhooks};

use proc_macro2::Span;

/// A name on the wire, with the span to edit.
#[derive(Clone)]
pub(crate) struct WireName {
    pub(crate) text: String,
    pub(crate) span: Span,
}
