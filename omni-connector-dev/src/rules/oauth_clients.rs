//! Stores the OAuth client that a person registered at a provider.

use serde_json::{Value, json};

use super::Refusal;
use crate::{shared::Shared, store::configs};

/// Stores the client id for a provider, and its secret if given.
pub(crate) async fn keep_oauth_client(
    shared: &Shared,
    provider: String,
    id: String,
    secret: Option<String>,
) -> Result<(), Refusal> {
    shared
        .store
        .write(move |db| {
            let mut settings = match configs::find(db, &provider)? {
                Some(Value::Object(settings)) => settings,
                _ => serde_json::Map::new(),
            };
            if settings.get("oauth_client_id") != Some(&json!(id)) {
                // Removes another client's secret, or a dynamic registration, which would otherwise
                // be renewed.
                settings.remove("oauth_client_secret");
                settings.remove("oauth_dynamic_client_registration");
            }
            settings.insert("oauth_client_id".to_owned(), id.into());
            if let Some(secret) = secret {
                settings.insert("oauth_client_secret".to_owned(), secret.into());
            }
            Ok(configs::put(db, &provider, &settings.into())?)
        })
        .await
}
