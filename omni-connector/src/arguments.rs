//! The arguments of functions with `#[sync]`, `#[action]`, `#[validate]` and `#[webhook]`, supplied by type.
//!
//! | argument | what it is | where |
//! |---|---|---|
//! | [`Config<T>`] | the source's config | calls with a source |
//! | [`Credentials<T>`] | the secret of the credential; also in an `Option` | calls with a source |
//! | [`CredentialSettings<T>`] | the settings of the credential, which are not secret; also in an `Option` | calls with a source |
//! | [`Checkpoint<T>`] | the state from which the run continues, and its saves | syncs |
//! | [`SyncContext`] | the run | syncs |
//! | [`ItemId`] | the item that is fetched again | functions with `#[refetch]` |
//! | [`Args<T>`] | the caller's whole input | actions |
//! | [`Actor`] | the acting person; also in an `Option` | actions |
//! | [`WebhookRequest`] | the request | webhooks |
//!
//! Records of the protocol are arguments as well: [`Source`](crate::Source), [`SourceType`](crate::SourceType),
//! [`SyncType`](crate::SyncType), [`ServiceCredential`](crate::ServiceCredential), and the
//! [`ManagerClient`](crate::ManagerClient). Make your own type an argument by
//! [`#[derive(FromCall)]`](derive@crate::FromCall) or by an impl of [`FromCall`]. [`DocRef`] is the type of a caller's
//! argument that names a document.

pub use crate::{
    connector::WebhookRequest,
    declare::{
        Actor, Args, Call, CallOf, Checkpoint, Config, CredentialSettings, Credentials, DocRef,
        FromCall, ItemId, OfAction, OfSourceWebhook, OfSync, OfValidate, OfWebhook,
    },
    run::SyncContext,
};
