//! What functions with `#[sync]`, `#[action]`, `#[validate]` and `#[webhook]` take as arguments, supplied by type.
//!
//! | argument | what it is | where |
//! |---|---|---|
//! | [`Config<T>`] | the source's config | wherever there is a source |
//! | [`Credentials<T>`] | the secret of the credential; also in an `Option` | wherever there is a source |
//! | [`CredentialSettings<T>`] | the settings of the credential that are not secret; also in an `Option` | wherever there is a source |
//! | [`Checkpoint<T>`] | where the last run ended, and the way to save more | syncs |
//! | [`SyncContext`] | the run | syncs |
//! | [`Args<T>`] | all of the caller's input | actions |
//! | [`Actor`] | the person who acts; also in an `Option` | actions |
//! | [`WebhookRequest`] | the request that came | webhooks |
//!
//! Records of the protocol are arguments as well: [`Source`](crate::Source), [`SourceType`](crate::SourceType),
//! [`SyncType`](crate::SyncType), [`ServiceCredential`](crate::ServiceCredential), and the
//! [`ManagerClient`](crate::ManagerClient). A type of your own becomes one by
//! [`#[derive(FromCall)]`](derive@crate::FromCall) or by an impl of [`FromCall`]. [`DocRef`] is the type of a caller's argument
//! that names a document.

pub use crate::{
    connector::WebhookRequest,
    declare::{
        Actor, Args, Call, CallOf, Checkpoint, Config, CredentialSettings, Credentials, DocRef,
        FromCall, OfAction, OfSourceWebhook, OfSync, OfValidate, OfWebhook,
    },
    run::SyncContext,
};
