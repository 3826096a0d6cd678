//! Which credential a caller gets (`protocol.md` §3.7, §6.3). Every one that leaves the manager passes here, so that OAuth
//! tokens about to expire are refreshed on the way.

use omni_connector::ServiceCredential;
use serde_json::{Map, Value};

use super::refreshed;
use crate::{
    lookup,
    shared::Shared,
    store::{StoreError, sources::SourceRecord},
};

/// What belongs to the organisation's own session and never stands in for a person's.
const SESSION_KEYS: [&str; 5] = [
    "access_token",
    "refresh_token",
    "token",
    "token_type",
    "id_token",
];

/// Why a stored credential cannot be handed out.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The token endpoint takes the refresh token no more.
    #[error("credential requires OAuth reconnect")]
    Reconnect,
    /// The token endpoint could not be reached, or answered nothing useful.
    #[error("OAuth refresh failed: {0}")]
    Refresh(String),
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// The organisation's row of an organisation's source, the creator's row of a personal one.
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

/// A person's row, with what the organisation's says beside its session.
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
        row.credentials = over(organisation.credentials, row.credentials);
        row.config = over(organisation.config, row.config);
    }
    Ok(row)
}

/// The members of `above` with those of `below` that it lacks; what is no object stands for itself.
fn over(below: Value, above: Value) -> Value {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            Value::Object(below.into_iter().chain(above).collect::<Map<_, _>>())
        }
        (_, above) => above,
    }
}
