//! Clients of sources, as arguments of functions.

use super::call::{Call, no_credentials, no_source};
use crate::{
    connector::ActionError,
    http::{self, ApiClient, NoClient, Owner, Scope},
};

/// Returns the client for the call's source and credential. `#[derive(FromCall)]` calls it.
///
/// # Errors
/// There is no source (404) or no credential (401), or the client refuses their values (400).
pub fn client<T: ApiClient>(call: &impl Call) -> Result<T, ActionError> {
    let manager = call.manager();
    let owner = Owner {
        source: call.source().ok_or_else(no_source)?,
        credential: call.credential(),
        manager,
    };
    let scope = Scope::of(call.run().cloned(), manager);
    http::client(&owner, scope).map_err(|problem| match problem {
        NoClient::NoCredential => no_credentials(),
        NoClient::Decode(error) => error.into(),
        NoClient::Connect(error) => {
            let refusal = ActionError::of(&error);
            refusal.unwrap_or_else(|| ActionError::BadRequest(format!("{error:#}")))
        }
    })
}
