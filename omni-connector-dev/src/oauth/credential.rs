//! Selects the credential that a caller receives (`protocol.md` §3.7, §6.3). Every credential that
//! leaves the manager passes through here and is refreshed if it is about to expire.

use omni_connector::ServiceCredential;
use serde_json::{Map, Value};

use super::refreshed;
use crate::{
    lookup,
    shared::Shared,
    store::{StoreError, sources::SourceRecord},
};

/// Keys of the organisation's session, which must never replace a person's.
const SESSION_KEYS: [&str; 5] = [
    "access_token",
    "refresh_token",
    "token",
    "token_type",
    "id_token",
];

/// Why a stored credential cannot be returned.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The token endpoint no longer accepts the refresh token.
    #[error("credential requires OAuth reconnect")]
    Reconnect,
    /// The token endpoint could not be reached, or its answer was unusable.
    #[error("OAuth refresh failed: {0}")]
    Refresh(String),
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Returns the organisation's credential for an organisation's source, and the creator's for a
/// personal source.
pub(crate) async fn owner(
    shared: &Shared,
    source: &SourceRecord,
) -> Result<Option<ServiceCredential>, CredentialError> {
    let source = source.clone();
    let row = shared
        .store
        .read(move |db| lookup::owner_row(db, &source))
        .await?;
    match row {
        Some(row) => refreshed(shared, row).await.map(Some),
        None => Ok(None),
    }
}

/// Returns a person's credential, completed with the organisation's values except its session.
pub(crate) async fn of_person(
    shared: &Shared,
    row: ServiceCredential,
    organisation: Option<ServiceCredential>,
) -> Result<ServiceCredential, CredentialError> {
    let mut row = refreshed(shared, row).await?;
    if let Some(mut organisation) = organisation {
        if let Value::Object(secret) = &mut organisation.credentials {
            secret.retain(|key, _| !SESSION_KEYS.contains(&key.as_str()));
        }
        row.credentials = merged(organisation.credentials, row.credentials);
        row.config = merged(organisation.config, row.config);
    }
    Ok(row)
}

/// Adds to `above` the members of `below` that it lacks. Returns `above` unchanged when it is not
/// an object.
fn merged(below: Value, above: Value) -> Value {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            Value::Object(below.into_iter().chain(above).collect::<Map<_, _>>())
        }
        (_, above) => above,
    }
}
