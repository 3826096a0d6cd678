//! A call of a connector's function: what it brings along, and what becomes of it.

use std::marker::PhantomData;

use anyhow::Result;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{argument::FromCall, input::Arg};
use crate::{
    connector::{ActionCall, ActionError},
    manager::ManagerClient,
    run::SyncContext,
    schema::{decode, decode_credential},
    wire::{ServiceCredential, Source, SyncType},
};
use futures_util::future::BoxFuture;

/// What is known of a call, whatever it is a call of.
#[diagnostic::on_unimplemented(
    message = "this call is about no source, which this argument needs",
    label = "not an argument that the framework supplies here",
    note = "help: name the source in the path of the webhook: `#[webhook(path = \"/hooks/acme/{{source_id}}\")]`"
)]
pub trait Call {
    /// The source; none in transient mode, before one exists.
    fn source(&self) -> Option<&Source>;

    /// On whose behalf.
    fn credential(&self) -> Option<&ServiceCredential>;

    /// The way back to the manager.
    fn manager(&self) -> &ManagerClient;

    /// The run, if this is a call of one.
    fn run(&self) -> Option<&SyncContext> {
        None
    }

    /// The source's config.
    ///
    /// # Errors
    /// There is no source yet (404), or its config is not of this shape (400).
    fn config<T: DeserializeOwned>(&self) -> Result<T, ActionError> {
        let source = self.source().ok_or_else(no_source)?;
        decode("config", source.config.clone())
            .map_err(|error| ActionError::BadRequest(error.to_string()))
    }

    /// The secret of the credential.
    ///
    /// # Errors
    /// There is no credential (401), or its secret is not of this shape (400).
    fn credentials<T: DeserializeOwned>(&self) -> Result<T, ActionError> {
        let credential = self.credential().ok_or_else(no_credentials)?;
        decode_credential(Some(credential))
            .map_err(|error| ActionError::BadRequest(error.to_string()))
    }

    /// The settings of the credential that are not secret.
    ///
    /// # Errors
    /// There is no credential (401), or its settings are not of this shape (400).
    fn credential_settings<T: DeserializeOwned>(&self) -> Result<T, ActionError> {
        let settings = &self.credential().ok_or_else(no_credentials)?.config;
        // The manager keeps null where a form has no such settings.
        let settings = match settings {
            Value::Null => Value::Object(Map::new()),
            settings => settings.clone(),
        };
        decode("settings of the credential", settings)
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
    /// What is missing or malformed.
    pub fn supply<T: FromCall<Self>>(&mut self) -> Result<T, ActionError> {
        T::from_call(self)
    }
}

/// A function that was called: the future of its outcome, or the argument that could not be read.
pub type Called<'a, T> = Result<BoxFuture<'a, Result<T>>, ActionError>;

/// Makes the outcome of a function from the future that reads what it returns.
///
/// # Errors
/// None; an argument that could not be read has ended the call before.
pub fn called<'a, T>(outcome: impl Future<Output = Result<T>> + Send + 'a) -> Called<'a, T> {
    Ok(Box::pin(outcome))
}

/// What a call of an action brings along.
#[derive(Debug)]
pub struct OfAction {
    pub(super) call: ActionCall,
    pub(super) args: &'static [Arg],
}

/// What a run brings along.
#[derive(Debug)]
pub struct OfSync {
    pub(super) ctx: SyncContext,
    pub(super) credentials: Option<ServiceCredential>,
    pub(super) checkpoint: Option<Box<dyn std::any::Any + Send>>,
}

/// What is known before a run starts.
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

/// A call that a function refused before it began.
pub(super) fn refused<'a, T: Send + 'a>(refusal: ActionError) -> BoxFuture<'a, Result<T>> {
    Box::pin(std::future::ready(Err(refusal.into())))
}
