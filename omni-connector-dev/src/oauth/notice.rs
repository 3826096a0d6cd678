//! Notifies a connector that a person has connected an account (`protocol.md` §8.6): for the web
//! app, or at a registration without a catalog (§3.3).

use omni_connector::{Manifest, ServiceCredential, wire::McpCredentials};
use reqwest::Method;
use serde::Serialize;

use super::{CredentialError, of_person, refreshed};
use crate::{
    lookup::CredentialRows,
    shared::Shared,
    store::{StoreError, credentials as rows},
};

/// The body of the notice.
#[derive(Serialize)]
struct Notice<'a> {
    source_id: &'a str,
    user_id: Option<&'a str>,
    provider: &'a str,
    flow: &'a str,
    credentials: McpCredentials,
}

/// The result of a notice.
pub(crate) enum Outcome {
    /// The source has no credential.
    NoCredentials,
    /// The person has no credential on the source.
    MissingCredentials,
    /// The connector could not be reached, or refused.
    Failed,
    /// The connector accepted the notice.
    Delivered,
    /// The connector answered with its new manifest.
    Manifest(Box<Manifest>),
}

/// Notifies the connector with that person's credential, or with the organisation's when no person
/// is given.
pub(crate) async fn notify(
    shared: &Shared,
    connector_url: &str,
    source_id: &str,
    user_id: Option<&str>,
    provider: &str,
    flow: &str,
) -> Result<Outcome, CredentialError> {
    let rows = CredentialRows::read(shared, source_id, user_id).await?;
    let credential = match (user_id, rows.of_user, rows.of_organisation) {
        (_, None, None) => return Ok(Outcome::NoCredentials),
        (Some(_), None, Some(_)) => return Ok(Outcome::MissingCredentials),
        (_, Some(row), organisation) => of_person(shared, row, organisation).await?,
        (None, None, Some(row)) => refreshed(shared, row).await?,
    };
    let notice = Notice {
        source_id,
        user_id,
        provider,
        flow,
        credentials: McpCredentials::of(&credential),
    };
    let url = format!("{connector_url}/oauth/credential-ready");
    let answer = shared
        .connectors
        .send(Method::POST, &url, Some(&notice))
        .await;
    let body = match answer {
        Ok(answer) if answer.status().is_success() => answer.bytes().await.ok(),
        _ => None,
    };
    Ok(match body.map(|body| serde_json::from_slice(&body)) {
        None => Outcome::Failed,
        Some(Ok(manifest)) => Outcome::Manifest(Box::new(manifest)),
        Some(Err(_)) => Outcome::Delivered,
    })
}

/// Sends a connector that registered without its catalog the most recently connected account, so
/// that it reads the catalog again. Ignores the answer: the connector registers again once it has
/// the catalog.
pub(crate) async fn recover_catalog(shared: &Shared, manifest: &Manifest) {
    let provider = manifest
        .oauth
        .as_ref()
        .and_then(|oauth| oauth.get("provider")?.as_str());
    let Some(provider) = provider else { return };
    if !manifest.mcp_enabled || manifest.mcp_catalog_loaded {
        return;
    }
    let (wanted, types) = (provider.to_owned(), manifest.source_types.clone());
    let row: Result<Option<ServiceCredential>, StoreError> = shared
        .store
        .read(move |db| rows::latest_of_a_user(db, &wanted, &types))
        .await;
    let result = match row {
        Ok(Some(row)) => notify(
            shared,
            &manifest.connector_url,
            &row.source_id,
            row.user_id.as_deref(),
            provider,
            "user_read",
        )
        .await
        .map(drop),
        Ok(None) => Ok(()),
        Err(error) => Err(error.into()),
    };
    if let Err(error) = result {
        tracing::warn!(connector = manifest.connector_id, %error, "the catalog is not recovered");
    }
}
