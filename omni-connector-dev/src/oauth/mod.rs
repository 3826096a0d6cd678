//! OAuth, from a sign-in to the token that a connector gets: the web app's part (`protocol.md` §8.2–8.4), for one person at
//! one machine.
//!
//! A state works once and for a quarter of an hour; what a provider answers is believed only in reply to one.

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

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    /// The request makes no sense: 400.
    #[error("{0}")]
    BadRequest(String),
    /// There is no such source, or no connector for it: 404.
    #[error("{0}")]
    NotFound(String),
    /// The provider has no client of ours: 412.
    #[error(
        "no OAuth client is configured for provider `{0}`\nhelp: register one at the provider with the redirect URI of this manager, and give its id and secret to `cargo omni login`"
    )]
    NoClient(String),
    /// The connector's manifest says nothing of OAuth: 501.
    #[error("connector `{0}` declares no OAuth")]
    NoOAuth(String),
    /// The person said no, or the provider did: 403.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The provider failed, or answered what it must not: 502.
    #[error("{0}")]
    Provider(String),
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The stored credential cannot be handed out.
    #[error("{0}")]
    Credential(#[from] CredentialError),
}

/// Who signs in, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Sources of one's own.
    Connect,
    /// The organisation's credential of a source.
    OrgSource,
    /// A person's credential, to read with.
    UserRead,
    /// A person's credential, to write with.
    UserWrite,
}

impl Flow {
    /// What connectors are told: writing, or anything else.
    const fn as_notice(self) -> &'static str {
        match self {
            Self::UserWrite => "user_write",
            Self::Connect | Self::OrgSource | Self::UserRead => "user_read",
        }
    }
}
