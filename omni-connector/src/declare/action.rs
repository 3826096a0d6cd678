//! The table of a connector's actions, and the dispatch of calls to their functions.

use std::time::Duration;

use anyhow::Result;
use axum::{http::StatusCode, response::Response};
use serde_json::Value;

use super::{
    annotated::Declared,
    arg::Arg,
    argument::FromCall,
    call::{CallOf, OfAction, Pending, refused},
    input::{self, Input},
    schema::SchemaFn,
};
use crate::{
    connector::{ActionCall, ActionError, ActionResponse},
    wire::{ActionDefinition, ActionMode, SourceType},
};
use futures_util::future::BoxFuture;

/// One action of connector `K`.
#[derive(Debug)]
pub struct Action<K> {
    pub(super) name: &'static str,
    description: &'static str,
    mode: ActionMode,
    args: &'static [Arg],
    input: Option<SchemaFn>,
    output: Option<SchemaFn>,
    scopes: Option<&'static [&'static str]>,
    source_types: &'static [SourceType],
    admin_only: bool,
    hidden: bool,
    timeout: Option<Duration>,
    function: ActionPointer<K>,
}

/// Reads the arguments of an action and calls its function.
type ActionPointer<K> = fn(&K, CallOf<K, OfAction>) -> Pending<'_, Response>;

/// The name, description and mode of an action that has no function yet.
#[derive(Debug)]
pub struct ActionHead {
    name: &'static str,
    description: &'static str,
    mode: ActionMode,
}

impl ActionHead {
    /// Describes an action that changes nothing.
    pub const fn read(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            mode: ActionMode::Read,
        }
    }

    /// Describes an action that changes something.
    pub const fn write(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            mode: ActionMode::Write,
        }
    }

    /// Makes the action.
    pub const fn call<K>(self, function: ActionPointer<K>) -> Action<K> {
        Action {
            name: self.name,
            description: self.description,
            mode: self.mode,
            args: &[],
            input: None,
            output: None,
            scopes: None,
            source_types: &[],
            admin_only: false,
            hidden: false,
            timeout: None,
            function,
        }
    }
}

impl<K> Action<K> {
    /// Sets its arguments marked `#[arg]`.
    #[must_use]
    pub const fn args(mut self, args: &'static [Arg]) -> Self {
        self.args = args;
        self
    }

    /// Sets the schema of its input to that of an argument, if the argument reads the whole input.
    ///
    /// # Panics
    /// While compiling: another argument reads the input as well.
    #[must_use]
    pub const fn input_of<T: FromCall<CallOf<K, OfAction>>>(mut self) -> Self {
        if T::INPUT.is_some() {
            assert!(
                self.input.is_none() && self.args.is_empty(),
                "an action reads its input once\nhelp: name everything in one struct, or mark each argument `#[arg]`"
            );
            self.input = T::INPUT;
        }
        self
    }

    /// Sets the schema of its result, if the type has one.
    #[must_use]
    pub const fn output(mut self, schema: Option<SchemaFn>) -> Self {
        self.output = schema;
        self
    }

    /// Sets the OAuth scopes that it requires.
    #[must_use]
    pub const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = Some(scopes);
        self
    }

    /// Restricts it to sources of these types.
    #[must_use]
    pub const fn source_types(mut self, source_types: &'static [SourceType]) -> Self {
        self.source_types = source_types;
        self
    }

    /// Restricts it to admins.
    #[must_use]
    pub const fn admin_only(mut self) -> Self {
        self.admin_only = true;
        self
    }

    /// Hides it from everybody.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Sets a time limit in seconds, after which the answer is 504.
    #[must_use]
    pub const fn timeout(mut self, seconds: u64) -> Self {
        self.timeout = Some(Duration::from_secs(seconds));
        self
    }
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

/// Returns all actions of a connector, those of its `impl` block first.
fn all_actions<K: Declared>() -> impl Iterator<Item = &'static Action<K>> {
    K::TABLE.action_methods.iter().chain(K::LISTED_ACTIONS)
}

/// Returns the actions of the manifest.
pub(super) fn actions<K: Declared>() -> Vec<ActionDefinition> {
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

/// Returns the scopes that an action requires.
pub(super) fn action_scopes<K: Declared>(name: &str) -> Option<Vec<String>> {
    let action = all_actions::<K>().find(|action| action.name == name)?;
    let scopes = action.scopes?.iter();
    Some(scopes.map(|&scope| scope.to_owned()).collect())
}

/// Calls an action by its name.
pub(super) fn call_action<K: Declared>(
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
    match (action.function)(connector, call) {
        Ok(answer) => in_time(answer, action.name, action.timeout),
        Err(refusal) => refused(refusal),
    }
}

/// Ends a call after its time limit.
fn in_time<'a>(
    answer: BoxFuture<'a, Result<Response>>,
    name: &'static str,
    timeout: Option<Duration>,
) -> BoxFuture<'a, Result<Response>> {
    let Some(timeout) = timeout else {
        return answer;
    };
    Box::pin(async move {
        tokio::time::timeout(timeout, answer)
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
    /// Returns the caller's input, from which arguments are taken one by one.
    ///
    /// # Errors
    /// The input is not an object, or exceeds a limit.
    pub fn input(&mut self) -> Result<Input, ActionError> {
        Input::new(std::mem::take(&mut self.parts.call.params), self.parts.args)
    }
}

/// Returns the schema of an action's result, if its type has one.
pub(super) fn action_output<K: Declared>(name: &str) -> Option<Value> {
    let action = all_actions::<K>().find(|action| action.name == name)?;
    action.output.map(|schema| schema())
}
