//! Clients of sources as arguments of functions.

use super::{
    argument::FromCall,
    call::{Call, no_credentials, no_source},
};
use crate::{
    connector::ActionError,
    http::{self, ApiClient, NoClient, Scope, Whose},
};

/// Every function about a source can take its client.
#[diagnostic::do_not_recommend]
impl<C: Call, T: ApiClient> FromCall<C> for T {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        let manager = call.manager();
        let whose = Whose {
            source: call.source().ok_or_else(no_source)?,
            credential: call.credential(),
            manager,
        };
        let scope = Scope::of(call.run().cloned(), manager);
        http::client(&whose, scope).map_err(|problem| match problem {
            NoClient::NoCredential => no_credentials(),
            NoClient::Decode(error) => error.into(),
            NoClient::Connect(error) => {
                let refusal = ActionError::of(&error);
                refusal.unwrap_or_else(|| ActionError::BadRequest(format!("{error:#}")))
            }
        })
    }
}
