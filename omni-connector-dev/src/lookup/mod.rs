//! Look-ups that rules have in common: which source, which connector serves it, which stored credential. They read and never
//! decide what a missing thing means.

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

/// The source of that id, also an inactive or deleted one.
pub(crate) async fn source(shared: &Shared, id: &str) -> Result<Option<SourceRecord>, StoreError> {
    let id = id.to_owned();
    shared.store.read(move |db| sources::find(db, &id)).await
}

/// The live connector that serves the source's type.
pub(crate) fn connector(shared: &Shared, source: &SourceRecord) -> Option<Manifest> {
    shared.registry.serving(&source.source_type)
}

/// The user of that address, or a new one in that role.
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

/// The administrator who owns what nobody else does.
pub(crate) async fn operator(shared: &Shared) -> Result<User, StoreError> {
    user(shared, &shared.options.operator_email, UserRole::Admin).await
}
