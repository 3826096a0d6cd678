//! OAuth from the sign-in to the token that a connector receives: the web app's part (`protocol.md` §8.2–8.4), for one
//! person on one machine.
//!
//! A state is valid once, for a quarter of an hour. A callback without a valid state must never be
//! accepted.

mod client;
mod credential;
mod finish;
mod notice;
mod pending;
mod refresh;
mod start;
mod token;
mod userinfo;

pub use credential::CredentialError;
pub(crate) use credential::{of_person, owner};
pub(crate) use finish::{Answer, finish};
pub(crate) use notice::{Outcome, notify, recover_catalog};
pub(crate) use pending::SignIns;
pub(crate) use refresh::refreshed;
pub(crate) use start::{Ask, start};

use crate::store::StoreError;

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    /// The request is invalid: 400.
    #[error("{0}")]
    BadRequest(String),
    /// The source does not exist or has no connector: 404.
    #[error("{0}")]
    NotFound(String),
    /// No OAuth client is configured at the provider: 412.
    #[error(
        "no OAuth client is configured for provider `{0}`\nhelp: register one at the provider with the redirect URI of this manager, and give its id and secret to `cargo omni login`"
    )]
    NoClient(String),
    /// The connector's manifest declares no OAuth: 501.
    #[error("connector `{0}` declares no OAuth")]
    NoOAuth(String),
    /// The person or the provider refused: 403.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The provider failed or sent an invalid answer: 502.
    #[error("{0}")]
    Provider(String),
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The stored credential cannot be returned.
    #[error("{0}")]
    Credential(#[from] CredentialError),
}

/// The purpose of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// To create personal sources.
    Connect,
    /// To connect the organisation's account to a source.
    OrgSource,
    /// To connect a person's account for reading.
    UserRead,
    /// To connect a person's account for writing.
    UserWrite,
}

impl Flow {
    /// Returns the name sent to connectors: one for writing, one for all else.
    const fn as_notice(self) -> &'static str {
        match self {
            Self::UserWrite => "user_write",
            Self::Connect | Self::OrgSource | Self::UserRead => "user_read",
        }
    }
}
