//! A call of a connector's function: its inputs and its answer.

use std::marker::PhantomData;

use anyhow::Result;
use serde::de::DeserializeOwned;

use super::{arg::Arg, argument::FromCall};
use crate::{
    connector::{ActionCall, ActionError},
    manager::ManagerClient,
    run::SyncContext,
    schema::{decode, decode_credential, decode_settings},
    wire::{ServiceCredential, Source, SyncType},
};
use futures_util::future::BoxFuture;

/// The inputs that every kind of call has.
#[diagnostic::on_unimplemented(
    message = "this argument needs a source, and the call has none",
    label = "not an argument that the framework supplies here",
    note = "help: name the source in the path of the webhook: `#[webhook(path = \"/hooks/acme/{{source_id}}\")]`"
)]
pub trait Call {
    /// Returns the source. Returns `None` in transient mode, before one exists.
    fn source(&self) -> Option<&Source>;

    /// Returns the credential with which the function is called.
    fn credential(&self) -> Option<&ServiceCredential>;

    /// Returns the client of the manager.
    fn manager(&self) -> &ManagerClient;

    /// Returns the run, if the call belongs to one.
    fn run(&self) -> Option<&SyncContext> {
        None
    }

    /// Decodes the source's config.
    ///
    /// # Errors
    /// There is no source yet (404), or its config has another shape (400).
    fn config<T: DeserializeOwned>(&self) -> Result<T, ActionError> {
        let source = self.source().ok_or_else(no_source)?;
        decode("config", source.config.clone())
            .map_err(|error| ActionError::BadRequest(error.to_string()))
    }

    /// Decodes the credential's secret.
    ///
    /// # Errors
    /// There is no credential (401), or its secret has another shape (400).
    fn credentials<T: DeserializeOwned>(&self) -> Result<T, ActionError> {
        let credential = self.credential().ok_or_else(no_credentials)?;
        decode_credential(Some(credential))
            .map_err(|error| ActionError::BadRequest(error.to_string()))
    }

    /// Decodes the credential's settings, which are not secret.
    ///
    /// # Errors
    /// There is no credential (401), or its settings have another shape (400).
    fn credential_settings<T: DeserializeOwned>(&self) -> Result<T, ActionError> {
        let credential = self.credential().ok_or_else(no_credentials)?;
        decode_settings(Some(credential))
            .map_err(|error| ActionError::BadRequest(error.to_string()))
    }
}

pub(super) fn no_source() -> ActionError {
    ActionError::NotFound("this action needs a source, and none exists yet".to_owned())
}

pub(super) fn no_credentials() -> ActionError {
    ActionError::Unauthorized(
        "this needs credentials, and the source has none; add them to the source".to_owned(),
    )
}

/// A call of a function of connector `K`: [`OfAction`], [`OfSync`], [`OfValidate`],
/// [`OfWebhook`](super::OfWebhook) or [`OfSourceWebhook`](super::OfSourceWebhook).
#[derive(Debug)]
pub struct CallOf<K, P> {
    pub(super) parts: P,
    connector: PhantomData<fn() -> K>,
}

impl<K, P> CallOf<K, P> {
    pub(super) const fn new(parts: P) -> Self {
        Self {
            parts,
            connector: PhantomData,
        }
    }

    /// Reads an argument of this type.
    ///
    /// # Errors
    /// A value is missing or malformed.
    pub fn supply<T: FromCall<Self>>(&mut self) -> Result<T, ActionError> {
        T::from_call(self)
    }
}

/// A call whose arguments were read: the future of its answer. Otherwise the error of an argument.
pub type Pending<'a, T> = Result<BoxFuture<'a, Result<T>>, ActionError>;

/// Makes a [`Pending`] from the future that a function returned, and from the conversion of its result to an answer.
///
/// # Errors
/// None: the arguments were read before.
pub fn pending<'a, R: 'a, T: 'a>(
    future: impl Future<Output = R> + Send + 'a,
    answer: fn(R) -> Result<T>,
) -> Pending<'a, T> {
    Ok(answered(Box::pin(future), answer))
}

/// Compiled once for each type of result. A function like [`pending`] is compiled for each action.
fn answered<'a, R: 'a, T: 'a>(
    future: BoxFuture<'a, R>,
    answer: fn(R) -> Result<T>,
) -> BoxFuture<'a, Result<T>> {
    Box::pin(async move { answer(future.await) })
}

/// The inputs of a call of an action.
#[derive(Debug)]
pub struct OfAction {
    pub(super) call: ActionCall,
    pub(super) args: &'static [Arg],
}

/// The inputs of a run.
#[derive(Debug)]
pub struct OfSync {
    pub(super) ctx: SyncContext,
    pub(super) credentials: Option<ServiceCredential>,
    pub(super) checkpoint: Option<Box<dyn std::any::Any + Send>>,
}

/// The inputs of a check before a run starts.
#[derive(Debug)]
pub struct OfValidate {
    pub(super) mode: SyncType,
    pub(super) source: Source,
    pub(super) credentials: Option<ServiceCredential>,
    pub(super) manager: ManagerClient,
}

impl<K> Call for CallOf<K, OfAction> {
    fn source(&self) -> Option<&Source> {
        self.parts.call.source.as_ref()
    }

    fn credential(&self) -> Option<&ServiceCredential> {
        self.parts.call.credentials.as_ref()
    }

    fn manager(&self) -> &ManagerClient {
        &self.parts.call.manager
    }
}

impl<K> Call for CallOf<K, OfSync> {
    fn source(&self) -> Option<&Source> {
        Some(self.parts.ctx.source())
    }

    fn credential(&self) -> Option<&ServiceCredential> {
        self.parts.credentials.as_ref()
    }

    fn manager(&self) -> &ManagerClient {
        self.parts.ctx.manager()
    }

    fn run(&self) -> Option<&SyncContext> {
        Some(&self.parts.ctx)
    }
}

impl<K> Call for CallOf<K, OfValidate> {
    fn source(&self) -> Option<&Source> {
        Some(&self.parts.source)
    }

    fn credential(&self) -> Option<&ServiceCredential> {
        self.parts.credentials.as_ref()
    }

    fn manager(&self) -> &ManagerClient {
        &self.parts.manager
    }
}

/// Makes the answer of a call whose arguments could not be read.
pub(super) fn refused<'a, T: Send + 'a>(refusal: ActionError) -> BoxFuture<'a, Result<T>> {
    Box::pin(std::future::ready(Err(refusal.into())))
}
