//! Finds stored credentials and returns them without a refresh (`protocol.md` §3.7, §6.3).

use omni_connector::{ServiceCredential, wire::SourceScope};
use rusqlite::Connection;

use crate::{
    shared::Shared,
    store::{StoreError, credentials, sources::SourceRecord},
};

/// The stored credentials that a person may use on a source.
pub(crate) struct CredentialRows {
    pub(crate) of_user: Option<ServiceCredential>,
    pub(crate) of_organisation: Option<ServiceCredential>,
}

impl CredentialRows {
    pub(crate) async fn read(
        shared: &Shared,
        source_id: &str,
        user_id: Option<&str>,
    ) -> Result<Self, StoreError> {
        let (source_id, user_id) = (source_id.to_owned(), user_id.map(str::to_owned));
        shared
            .store
            .read(move |db| {
                let of_user = match &user_id {
                    Some(user_id) => credentials::find(db, &source_id, Some(user_id))?,
                    None => None,
                };
                Ok(Self {
                    of_user,
                    of_organisation: credentials::find(db, &source_id, None)?,
                })
            })
            .await
    }
}

/// Returns the organisation's row for an organisation's source, and the creator's row for a
/// personal source.
pub(crate) fn owner_row(
    db: &Connection,
    source: &SourceRecord,
) -> Result<Option<ServiceCredential>, StoreError> {
    let owner = match source.scope {
        SourceScope::User => Some(source.created_by.as_str()),
        _ => None,
    };
    credentials::find(db, &source.id, owner)
}
