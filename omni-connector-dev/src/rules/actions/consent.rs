//! Scopes that a person must still grant before an action is called for them (`protocol.md` §6.6).
//! In Omni the AI service checks this; `POST /action` itself must never refuse for a scope.

use omni_connector::AuthType;
use serde_json::Value;

use crate::{
    lookup::{self, CredentialRows},
    shared::Shared,
    store::StoreError,
};

/// Returns the scopes that the action requires and the person's own credential lacks.
pub(crate) async fn missing_scopes(
    shared: &Shared,
    source_id: &str,
    user_id: &str,
    action: &str,
) -> Result<Vec<String>, StoreError> {
    let source = lookup::source(shared, source_id).await?;
    let required = source
        .and_then(|source| lookup::connector(shared, &source))
        .and_then(|manifest| {
            let mut actions = manifest.actions.into_iter();
            actions.find(|known| known.name == action)?.required_scopes
        });
    let rows = CredentialRows::read(shared, source_id, Some(user_id)).await?;
    let (Some(mut missing), Some(row)) = (required, rows.of_user) else {
        return Ok(Vec::new());
    };
    if row.auth_type != AuthType::Oauth {
        return Ok(Vec::new());
    }
    let granted = row.config["granted_scopes"].as_array();
    let granted: Vec<_> = granted
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    missing.retain(|scope| !granted.contains(&scope.as_str()));
    Ok(missing)
}
