//! The table of a connector's actions, and how a call finds its function.

use std::time::Duration;

use anyhow::Result;
use axum::{http::StatusCode, response::Response};
use serde_json::Value;

use super::{
    argument::{CallOf, OfAction},
    input::{self, Arg, Input},
    schema::SchemaFn,
};
use crate::{
    actions::{ActionCall, ActionResponse},
    contract::{ActionDefinition, ActionMode, BoxFuture, Connector, SourceType},
};

/// One action of connector `K`.
#[derive(Debug)]
pub struct Action<K> {
    /// Its name on the wire.
    pub name: &'static str,
    /// What people and language models read.
    pub description: &'static str,
    /// Whether it changes anything.
    pub mode: ActionMode,
    /// Arguments marked `#[arg]`.
    pub args: &'static [Arg],
    /// The schemas that its other arguments bring along; at most one is some.
    pub inputs: &'static [Option<SchemaFn>],
    /// OAuth scopes; none when undeclared.
    pub scopes: Option<&'static [&'static str]>,
    /// Where it works; everywhere when empty.
    pub source_types: &'static [SourceType],
    /// Only admins see it.
    pub admin_only: bool,
    /// Offered to nobody.
    pub hidden: bool,
    /// How long it may take; none leaves it to the caller's patience.
    pub timeout: Option<Duration>,
    /// Reads the arguments and calls the function.
    pub call: fn(&K, CallOf<K, OfAction>) -> BoxFuture<'_, Result<Response>>,
}

/// A function with `#[action]`, as an entry of `actions = […]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an action of `{K}`",
    label = "listed for the wrong connector",
    note = "help: an action that takes `&Slack` belongs to `Slack`; leave the connector out to serve every one"
)]
pub trait ActionFn<K> {
    /// Its entry in the table.
    const ACTION: Action<K>;
}

type Tables<K> = [&'static [Action<K>]; 2];

/// The manifest's part of all actions.
pub fn action_definitions<K>(tables: Tables<K>) -> Vec<ActionDefinition> {
    tables
        .into_iter()
        .flatten()
        .map(|action| ActionDefinition {
            name: action.name.to_owned(),
            description: action.description.to_owned(),
            input_schema: whole_schema(action.args, action.inputs),
            mode: action.mode,
            source_types: action.source_types.to_vec(),
            admin_only: action.admin_only,
            hidden: action.hidden,
        })
        .collect()
}

fn whole_schema(args: &[Arg], inputs: &[Option<SchemaFn>]) -> Value {
    match inputs.iter().flatten().next() {
        Some(schema) => schema(),
        None => input::schema_of(args),
    }
}

/// The scopes that an action needs.
pub fn action_scopes<K>(tables: Tables<K>, name: &str) -> Option<Vec<String>> {
    let action = tables
        .into_iter()
        .flatten()
        .find(|action| action.name == name)?;
    Some(
        action
            .scopes?
            .iter()
            .map(|&scope| scope.to_owned())
            .collect(),
    )
}

/// Finds the action by its name and calls it.
pub fn call_action<K: Connector>(
    connector: &K,
    tables: Tables<K>,
    call: ActionCall,
) -> BoxFuture<'_, Result<Response>> {
    let action = tables
        .into_iter()
        .flatten()
        .find(|action| action.name == call.action);
    match action {
        Some(action) => in_time(
            (action.call)(
                connector,
                CallOf::new(OfAction {
                    call,
                    args: action.args,
                }),
            ),
            action.name,
            action.timeout,
        ),
        None => {
            let answer = ActionResponse::not_supported(&call.action)
                .into_response_with_status(StatusCode::NOT_FOUND);
            Box::pin(std::future::ready(Ok(answer)))
        }
    }
}

fn in_time<'a>(
    called: BoxFuture<'a, Result<Response>>,
    name: &'static str,
    timeout: Option<Duration>,
) -> BoxFuture<'a, Result<Response>> {
    let Some(timeout) = timeout else {
        return called;
    };
    Box::pin(async move {
        tokio::time::timeout(timeout, called)
            .await
            .unwrap_or_else(|_| {
                let message = format!(
                    "action `{name}` did not end within {} s",
                    timeout.as_secs_f32()
                );
                Ok(ActionResponse::error(message)
                    .into_response_with_status(StatusCode::GATEWAY_TIMEOUT))
            })
    })
}

impl<K> CallOf<K, OfAction> {
    /// The caller's input, to be taken argument by argument.
    ///
    /// # Errors
    /// The input is no object.
    pub fn input(&mut self) -> Result<Input, crate::ActionError> {
        Input::new(std::mem::take(&mut self.parts.call.params), self.parts.args)
    }
}

/// The schema that an argument brings along. Fails to compile when the input is read already: by an argument before it,
/// or by one marked `#[arg]`.
pub const fn input_once(
    input: Option<SchemaFn>,
    earlier: &[Option<SchemaFn>],
    args: usize,
) -> Option<SchemaFn> {
    let mut others = args;
    let mut i = 0;
    while i < earlier.len() {
        others += earlier[i].is_some() as usize;
        i += 1;
    }
    assert!(
        input.is_none() || others == 0,
        "an action reads its input once"
    );
    input
}
