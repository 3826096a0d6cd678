//! Refreshes OAuth tokens when a credential is read within five minutes of their expiry
//! (`protocol.md` §8.4). Must never run two refreshes of one credential at once: a rotating refresh
//! token works once.

use std::time::Duration;

use omni_connector::{AuthType, ServiceCredential};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    CredentialError,
    token::{Granted, TokenError, TokenRequest},
};
use crate::{
    shared::Shared,
    store::{StoreError, configs, credentials},
};

/// Remaining lifetime below which a token is refreshed.
const MARGIN: time::Duration = time::Duration::minutes(5);
/// Lifetime of a token when the answer states none.
const DEFAULT_LIFE: Duration = Duration::from_hours(1);
/// OAuth errors after which a retry cannot succeed.
const FINAL_ERRORS: [&str; 4] = [
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "access_denied",
];

/// Returns the credential, refreshed if it is due and can be. A refreshed credential still shows
/// the earlier `updated_at`.
pub(crate) async fn refreshed(
    shared: &Shared,
    credential: ServiceCredential,
) -> Result<ServiceCredential, CredentialError> {
    if !is_due(&credential) {
        return Ok(credential);
    }
    let _refreshing = shared.refreshes.lock(&credential.id).await;

    // Another request may have refreshed it meanwhile.
    let (source_id, user_id) = (credential.source_id.clone(), credential.user_id.clone());
    let provider = credential.provider.clone();
    let (stored, config) = shared
        .store
        .read(move |db| {
            let stored = credentials::find(db, &source_id, user_id.as_deref())?;
            Ok::<_, StoreError>((stored, configs::find(db, &provider)?))
        })
        .await?;
    let mut credential = stored.unwrap_or(credential);
    let Some(request) = request(&credential, &config.unwrap_or_default()) else {
        return Ok(credential);
    };
    if !is_due(&credential) {
        return Ok(credential);
    }
    let granted = request.send(shared.connectors.http()).await;
    let granted = granted.map_err(failure)?;
    apply(granted, &mut credential, &request.endpoint);
    let row = credential.clone();
    shared
        .store
        .write(move |db| credentials::put_refreshed(db, &row))
        .await?;
    Ok(credential)
}

fn is_due(credential: &ServiceCredential) -> bool {
    credential.auth_type == AuthType::Oauth
        && credential
            .expires_at
            .is_some_and(|end| end <= OffsetDateTime::now_utc() + MARGIN)
}

/// Builds the refresh request. Returns `None` when the refresh token, the client or the endpoint is
/// unknown. The provider's settings take precedence over the credential's values.
fn request(credential: &ServiceCredential, config: &Value) -> Option<TokenRequest> {
    let secret = &credential.credentials;
    let either = |of_config: &str, of_secret: &str| {
        text(config, of_config).or_else(|| text(secret, of_secret))
    };
    let refresh_token = text(secret, "refresh_token")?;
    let client_id = either("oauth_client_id", "client_id")?;
    let endpoint = either("oauth_token_endpoint", "token_uri")?;
    let client_secret = either("oauth_client_secret", "client_secret");
    let method = either(
        "oauth_token_endpoint_auth_method",
        "token_endpoint_auth_method",
    );

    let mut form = vec![
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", refresh_token),
    ];
    let mut basic = None;
    match (method.as_deref(), client_secret) {
        (Some("client_secret_basic"), client_secret) => {
            basic = Some((client_id, client_secret?));
        }
        (Some("none"), _) | (_, None) => form.push(("client_id", client_id)),
        (_, Some(client_secret)) => {
            form.push(("client_id", client_id));
            form.push(("client_secret", client_secret));
        }
    }
    if let Some(resource) = text(secret, "resource") {
        form.push(("resource", resource));
    }
    Some(TokenRequest {
        endpoint,
        form,
        basic,
    })
}

/// Maps a refresh error. The person must reconnect only if the endpoint named an OAuth error.
fn failure(error: TokenError) -> CredentialError {
    match &error {
        TokenError::Refused { status, error, .. }
            if !status.is_server_error() && FINAL_ERRORS.contains(&error.as_str()) =>
        {
            CredentialError::Reconnect
        }
        TokenError::Refused { status, .. } if !status.is_success() => {
            CredentialError::Refresh(TokenError::Status(*status).to_string())
        }
        _ => CredentialError::Refresh(error.to_string()),
    }
}

fn apply(granted: Granted, credential: &mut ServiceCredential, endpoint: &str) {
    if let Value::Object(secret) = &mut credential.credentials {
        secret.insert("access_token".to_owned(), granted.access_token.into());
        if let Some(refresh_token) = granted.refresh_token {
            secret.insert("refresh_token".to_owned(), refresh_token.into());
        }
        let token_type = granted.token_type.unwrap_or_else(|| "Bearer".to_owned());
        secret.insert("token_type".to_owned(), token_type.into());
        secret.insert("token_uri".to_owned(), json!(endpoint));
    }
    let now = OffsetDateTime::now_utc();
    let life = granted.life.unwrap_or(DEFAULT_LIFE);
    let life = time::Duration::try_from(life).unwrap_or(time::Duration::MAX);
    credential.expires_at = Some(now.saturating_add(life));
    credential.last_validated_at = Some(now);
}

fn text(value: &Value, key: &str) -> Option<String> {
    value
        .get(key)?
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}
