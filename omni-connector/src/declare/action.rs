//! The table of a connector's actions, and how a call finds its function.

use std::time::Duration;

use anyhow::Result;
use axum::{http::StatusCode, response::Response};
use serde_json::Value;

use super::{
    argument::FromCall,
    call::{CallOf, Called, OfAction},
    input::{self, Arg, Input},
    schema::SchemaFn,
    table::{Declared, all_actions},
};
use crate::{
    connector::{ActionCall, ActionError, ActionResponse},
    wire::{ActionDefinition, ActionMode, SourceType},
};
use futures_util::future::BoxFuture;

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
    /// The schema of the whole input, where one argument takes all of it.
    pub input: Option<SchemaFn>,
    /// The schema of the result, where its type has one.
    pub output: Option<SchemaFn>,
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
    pub call: fn(&K, CallOf<K, OfAction>) -> Called<'_, Response>,
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

/// The manifest's part of all actions.
pub fn actions<K: Declared>() -> Vec<ActionDefinition> {
    all_actions::<K>()
        .map(|action| ActionDefinition {
            name: action.name.to_owned(),
            description: action.description.to_owned(),
            input_schema: whole_schema(action.args, action.input),
            mode: action.mode,
            source_types: action.source_types.to_vec(),
            admin_only: action.admin_only,
            hidden: action.hidden,
        })
        .collect()
}

fn whole_schema(args: &[Arg], input: Option<SchemaFn>) -> Value {
    match input {
        Some(schema) => schema(),
        None => input::schema_of(args),
    }
}

/// The scopes that an action needs.
pub fn action_scopes<K: Declared>(name: &str) -> Option<Vec<String>> {
    let action = all_actions::<K>().find(|action| action.name == name)?;
    let scopes = action.scopes?.iter();
    Some(scopes.map(|&scope| scope.to_owned()).collect())
}

/// Finds the action by its name and calls it.
pub fn call_action<K: Declared>(
    connector: &K,
    call: ActionCall,
) -> BoxFuture<'_, Result<Response>> {
    let Some(action) = all_actions::<K>().find(|action| action.name == call.action) else {
        let answer = ActionResponse::not_supported(&call.action)
            .into_response_with_status(StatusCode::NOT_FOUND);
        return Box::pin(std::future::ready(Ok(answer)));
    };
    let call = CallOf::new(OfAction {
        call,
        args: action.args,
    });
    match (action.call)(connector, call) {
        Ok(called) => in_time(called, action.name, action.timeout),
        Err(refusal) => Box::pin(std::future::ready(Err(refusal.into()))),
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
    pub fn input(&mut self) -> Result<Input, ActionError> {
        Input::new(std::mem::take(&mut self.parts.call.params), self.parts.args)
    }
}

/// The schema that an argument of this type brings along.
///
/// # Panics
/// While compiling: the input is known to be no JSON object.
pub const fn input<K, T: FromCall<CallOf<K, OfAction>>>(is_object: bool) -> Option<SchemaFn> {
    assert!(
        is_object,
        "action input must be a struct (a JSON object)\nhelp: name the list in a struct: `struct Input {{ items: Vec<String> }}`"
    );
    T::INPUT
}

/// The schema that one of the arguments brings along.
///
/// # Panics
/// While compiling: the input is read twice, by two arguments or by one beside `args` arguments marked `#[arg]`.
pub const fn input_once(inputs: &[Option<SchemaFn>], args: usize) -> Option<SchemaFn> {
    let mut found = None;
    let mut i = 0;
    while i < inputs.len() {
        if inputs[i].is_some() {
            assert!(
                found.is_none() && args == 0,
                "an action reads its input once\nhelp: name everything in one struct, or mark each argument `#[arg]`"
            );
            found = inputs[i];
        }
        i += 1;
    }
    found
}
