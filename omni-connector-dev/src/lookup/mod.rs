//! Look-ups that several rules share: sources, their connectors, stored credentials. They only read
//! and must never decide what a missing value means.

mod credential;

use omni_connector::Manifest;

pub(crate) use credential::{CredentialRows, owner_row};

use crate::{
    shared::Shared,
    store::{
        StoreError,
        sources::{self, SourceRecord},
        users::{self, User, UserRole},
    },
};

/// Finds a source by id, inactive and deleted ones included.
pub(crate) async fn source(shared: &Shared, id: &str) -> Result<Option<SourceRecord>, StoreError> {
    let id = id.to_owned();
    shared.store.read(move |db| sources::find(db, &id)).await
}

/// Finds the live connector that serves the source's type.
pub(crate) fn connector(shared: &Shared, source: &SourceRecord) -> Option<Manifest> {
    shared.registry.serving(&source.source_type)
}

/// Finds the user with that e-mail address, or creates one with that role.
pub(crate) async fn user(shared: &Shared, email: &str, role: UserRole) -> Result<User, StoreError> {
    let new = User::new(email, role);
    shared
        .store
        .write(move |db| {
            if let Some(user) = users::find_by_email(db, &new.email)? {
                return Ok(user);
            }
            users::put(db, &new)?;
            Ok(new)
        })
        .await
}

/// Finds or creates the administrator who owns sources without another owner.
pub(crate) async fn operator(shared: &Shared) -> Result<User, StoreError> {
    user(shared, &shared.options.operator_email, UserRole::Admin).await
}
