//! Arguments by type: a function says what it needs, and the framework supplies it.

use std::ops;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{
    call::{Call, CallOf, OfAction, OfSync, OfValidate, no_credentials, no_source},
    schema::SchemaFn,
};
use crate::{
    connector::{ActionError, Connector},
    manager::ManagerClient,
    run::SyncContext,
    schema::{decode, trial},
    wire::{ServiceCredential, Source, SourceType, SyncType},
};

/// A type that functions with `#[sync]` or `#[action]` can take as an argument. `C` is the call: [`CallOf`] an action or a
/// sync of connector `K`.
///
/// Implement it for a type of your own, such as a client built from config and credentials, and every function of the
/// connector can take that:
///
/// ```
/// use omni_connector::{ActionError, arguments::{Call, FromCall}};
///
/// struct Tracker { base: String, token: String }
///
/// impl<C: Call> FromCall<C> for Tracker {
///     fn from_call(call: &mut C) -> Result<Self, ActionError> {
///         let config: serde_json::Value = call.config()?;
///         let secret: serde_json::Value = call.credentials()?;
///         Ok(Self { base: config["url"].to_string(), token: secret["token"].to_string() })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the framework does not supply an argument of type `{Self}` here",
    label = "not an argument that the framework supplies",
    note = "help: take a declared type as `Config<…>`, `Credentials<…>` or `Checkpoint<…>`; put `#[derive(FromCall)]` on the client of an API; in an action, mark what the caller supplies `#[arg]`, or take all of it as `Args<…>`"
)]
pub trait FromCall<C>: Sized {
    /// Reads the argument.
    ///
    /// # Errors
    /// What is missing or malformed, as the answer that the caller gets.
    fn from_call(call: &mut C) -> Result<Self, ActionError>;

    /// The schema of the caller's input, where this argument is all of it.
    const INPUT: Option<SchemaFn> = None;

    /// Whether a run without credentials can be refused before it starts.
    const NEEDS_CREDENTIALS: bool = false;
}

/// That a type is the one which the struct's attribute declares: every type is itself, and nothing else.
#[diagnostic::on_unimplemented(
    message = "the connector declares `{Self}`, not `{T}`",
    label = "expected `{Self}`",
    note = "help: write `{Self}` here, or change what the struct declares: `config = …`, `credentials = …`, `state = …`"
)]
pub trait DeclaredAs<T> {
    /// The value, as the type that it is.
    fn declared(self) -> T;
}

impl<T> DeclaredAs<T> for T {
    fn declared(self) -> T {
        self
    }
}

/// The source's config, decoded into what the connector declares with `config = …`.
#[derive(Debug, Clone)]
pub struct Config<T>(pub T);

impl<K: Connector, P, T> FromCall<CallOf<K, P>> for Config<T>
where
    CallOf<K, P>: Call,
    K::Config: DeclaredAs<T>,
{
    fn from_call(call: &mut CallOf<K, P>) -> Result<Self, ActionError> {
        call.config()
            .map(|config: K::Config| Self(config.declared()))
    }
}

/// The credential's secret, decoded into what the connector declares with `credentials = …`.
#[derive(Clone)]
pub struct Credentials<T>(pub T);

impl<K: Connector, P, T> FromCall<CallOf<K, P>> for Credentials<T>
where
    CallOf<K, P>: Call,
    K::Credentials: DeclaredAs<T>,
{
    fn from_call(call: &mut CallOf<K, P>) -> Result<Self, ActionError> {
        call.credentials()
            .map(|secret: K::Credentials| Self(secret.declared()))
    }

    const NEEDS_CREDENTIALS: bool = true;
}

impl<K: Connector, P, T> FromCall<CallOf<K, P>> for Option<Credentials<T>>
where
    CallOf<K, P>: Call,
    K::Credentials: DeclaredAs<T>,
{
    fn from_call(call: &mut CallOf<K, P>) -> Result<Self, ActionError> {
        match call.credential() {
            None => Ok(None),
            Some(_) => Credentials::from_call(call).map(Some),
        }
    }
}

/// Settings of the credential that are not secret: the `config` of its row, such as the site that it is for.
///
/// They are decoded for each call, into any type; without such settings from an empty object.
///
/// ```
/// use omni_connector::prelude::*;
///
/// #[derive(Deserialize)]
/// struct Site { domain: String }
///
/// #[connector(name = "wiki", source_types = [Confluence])]
/// struct Wiki;
///
/// #[connector]
/// impl Wiki {
///     #[sync]
///     async fn sync(&self, site: CredentialSettings<Site>, ctx: SyncContext) -> Result<()> {
///         ctx.delete(format!("{}/old-page", site.domain)).await?;
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct CredentialSettings<T>(pub T);

impl<C: Call, T: DeserializeOwned> FromCall<C> for CredentialSettings<T> {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        call.credential_settings().map(Self)
    }

    const NEEDS_CREDENTIALS: bool = true;
}

impl<C: Call, T: DeserializeOwned> FromCall<C> for Option<CredentialSettings<T>> {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        match call.credential() {
            None => Ok(None),
            Some(_) => call.credential_settings().map(CredentialSettings).map(Some),
        }
    }
}

impl<K> FromCall<CallOf<K, OfSync>> for SyncType {
    fn from_call(call: &mut CallOf<K, OfSync>) -> Result<Self, ActionError> {
        Ok(call.parts.ctx.sync_mode())
    }
}

impl<K> FromCall<CallOf<K, OfValidate>> for SyncType {
    fn from_call(call: &mut CallOf<K, OfValidate>) -> Result<Self, ActionError> {
        Ok(call.parts.mode)
    }
}

impl<K> FromCall<CallOf<K, OfSync>> for SyncContext {
    fn from_call(call: &mut CallOf<K, OfSync>) -> Result<Self, ActionError> {
        Ok(call.parts.ctx.clone())
    }
}

/// The person who acts, by address, in lower case. Whether they may is the action's to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person's e-mail address.
    pub email: String,
}

impl<K> FromCall<CallOf<K, OfAction>> for Actor {
    fn from_call(call: &mut CallOf<K, OfAction>) -> Result<Self, ActionError> {
        Option::<Self>::from_call(call)?.ok_or_else(|| {
            ActionError::Forbidden(
                "this action is for people, and the call names nobody".to_owned(),
            )
        })
    }
}

impl<K> FromCall<CallOf<K, OfAction>> for Option<Actor> {
    fn from_call(call: &mut CallOf<K, OfAction>) -> Result<Self, ActionError> {
        let email = call
            .parts
            .call
            .actor_email
            .as_deref()
            .map(str::trim)
            .filter(|email| !email.is_empty());
        Ok(email.map(|email| Actor {
            email: email.to_lowercase(),
        }))
    }
}

/// All of the caller's input as one struct, which derives `Deserialize` and `JsonSchema`. Keys it does not know are dropped.
///
/// Limits that schemars' attributes state are held before the input is decoded: `range`, `length`, `regex`, `inner`, and the
/// formats `date`, `date-time`, `email` and `uri`. What goes beyond one is 400, with its place and not its value.
///
/// ```
/// use omni_connector::prelude::*;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Search {
///     /// What to look for
///     #[schemars(length(min = 2, max = 200))]
///     query: String,
///     /// At most this many
///     #[serde(default)]
///     #[schemars(range(min = 1, max = 50))]
///     limit: Option<u32>,
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Args<T>(pub T);

/// A struct that can be the input of an action.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot describe action arguments",
    label = "not an action's input",
    note = "help: add `#[derive(Deserialize, JsonSchema)]` to `{Self}`"
)]
pub trait ActionInput: DeserializeOwned + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema> ActionInput for T {}

impl<K, T: ActionInput> FromCall<CallOf<K, OfAction>> for Args<T> {
    fn from_call(call: &mut CallOf<K, OfAction>) -> Result<Self, ActionError> {
        let params = std::mem::take(&mut call.parts.call.params);
        let params = super::schema::admit(params, super::schema::inlined::<T>, trial::<T>)?;
        match decode("params", params) {
            Ok(input) => Ok(Self(input)),
            Err(error) => Err(error.into()),
        }
    }

    const INPUT: Option<SchemaFn> = Some(super::schema::described::<T>);
}

impl<C: Call> FromCall<C> for Source {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        call.source().cloned().ok_or_else(no_source)
    }
}

impl<C: Call> FromCall<C> for Option<Source> {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        Ok(call.source().cloned())
    }
}

impl<C: Call> FromCall<C> for SourceType {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        call.source()
            .map(|source| source.source_type)
            .ok_or_else(no_source)
    }
}

impl<C: Call> FromCall<C> for ServiceCredential {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        call.credential().cloned().ok_or_else(no_credentials)
    }

    const NEEDS_CREDENTIALS: bool = true;
}

impl<C: Call> FromCall<C> for Option<ServiceCredential> {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        Ok(call.credential().cloned())
    }
}

impl<C: Call> FromCall<C> for ManagerClient {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        Ok(call.manager().clone())
    }
}

impl<T> ops::Deref for Config<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> ops::Deref for Credentials<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> ops::Deref for CredentialSettings<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> ops::Deref for Args<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Only for `Debug` of containers: credentials themselves are never shown.
impl<T> std::fmt::Debug for Credentials<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials([redacted])")
    }
}
