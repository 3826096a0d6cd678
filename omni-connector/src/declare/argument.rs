//! Arguments by type: a function declares its arguments, and the framework supplies them.

use std::ops;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{
    call::{Call, CallOf, OfAction, OfSync, OfValidate, no_credentials, no_source},
    schema::{self, SchemaFn, inlined},
};
use crate::{
    connector::{ActionError, Connector},
    manager::ManagerClient,
    run::SyncContext,
    schema::{decode, trial},
    wire::{ServiceCredential, Source, SourceType, SyncType},
};

/// A type that functions with `#[sync]`, `#[action]`, `#[validate]` or `#[webhook]` can take as an argument. `C` is the call: a
/// [`CallOf`] one of these functions.
///
/// Implement it for your own type, such as a client made from config and credentials. Then every function of the
/// connector can take it:
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
    /// A value is missing or malformed. The error is the caller's answer.
    fn from_call(call: &mut C) -> Result<Self, ActionError>;

    /// The schema of the caller's input, if this argument is all of it. A type with such a schema must not have the name of
    /// another argument type of this crate.
    const INPUT: Option<SchemaFn> = None;

    /// Whether a run without credentials can be refused before it starts.
    const NEEDS_CREDENTIALS: bool = false;
}

/// Holds if two types are equal. It checks an argument against the type that the struct's attribute declares.
#[diagnostic::on_unimplemented(
    message = "the connector declares `{Self}`, not `{T}`",
    label = "expected `{Self}`",
    note = "help: write `{Self}` here, or change what the struct declares: `config = …`, `credentials = …`, `state = …`"
)]
pub trait DeclaredAs<T> {
    /// Returns the value, as the declared type.
    fn declared(self) -> T;
}

impl<T> DeclaredAs<T> for T {
    fn declared(self) -> T {
        self
    }
}

/// The source's config, decoded into the type declared with `config = …`.
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

/// The credential's secret, decoded into the type declared with `credentials = …`.
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

/// Settings of the credential that are not secret: the `config` of its row, such as the site it belongs to.
///
/// They are decoded for each call, into any type. Missing settings are decoded from an empty object.
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

/// The id of the item that a function with `#[refetch]` fetches again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemId(pub String);

impl<K> FromCall<CallOf<K, OfSync>> for ItemId {
    fn from_call(call: &mut CallOf<K, OfSync>) -> Result<Self, ActionError> {
        let item = call.parts.ctx.refetch().map(str::to_owned);
        item.map(Self).ok_or_else(|| {
            ActionError::BadRequest(
                "only a function with `#[refetch]` can take an `ItemId`".to_owned(),
            )
        })
    }
}

/// The acting person, by address in lower case. The action must decide what the person may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person's e-mail address.
    pub email: String,
}

impl<K> FromCall<CallOf<K, OfAction>> for Actor {
    fn from_call(call: &mut CallOf<K, OfAction>) -> Result<Self, ActionError> {
        Option::<Self>::from_call(call)?.ok_or_else(|| {
            ActionError::Forbidden(
                "this action needs an acting person, and the call names none".to_owned(),
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

/// The caller's whole input as one struct, which derives `Deserialize` and `JsonSchema`. Unknown keys are dropped.
///
/// Limits in schemars' attributes are checked before the input is decoded: `range`, `length`, `regex`, `inner`, and the
/// formats `date`, `date-time`, `email` and `uri`. A violation is 400, with the field's path but not its value.
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
        let params = schema::take_params(&mut call.parts.call, inlined::<T>, trial::<T>)?;
        match decode("params", params) {
            Ok(input) => Ok(Self(input)),
            Err(error) => Err(error.into()),
        }
    }

    const INPUT: Option<SchemaFn> = Some(schema::described::<T>);
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

/// Needed for `Debug` of containers. Credentials themselves are never shown.
impl<T> std::fmt::Debug for Credentials<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials([redacted])")
    }
}
