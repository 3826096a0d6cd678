//! `POST /sdk/register` (`protocol.md` §3.3): a manifest is taken whole or refused whole, and only while its connector can
//! be reached.

use axum::{Json, extract::State};
use omni_connector::Manifest;
use serde_json::Value;

use super::ok;
use crate::{
    credential_ready::recover_catalog,
    http::{body::JsonBody, error::ApiError},
    manager::Shared,
    registry::check_actions,
    store::{operators, registrations},
};

pub(super) async fn register(
    State(shared): State<Shared>,
    JsonBody(manifest): JsonBody<Manifest>,
) -> Result<Json<Value>, ApiError> {
    for (field, value) in [
        ("connector_id", &manifest.connector_id),
        ("connector_url", &manifest.connector_url),
    ] {
        if value.is_empty() {
            return Err(ApiError::BadRequest(format!(
                "{field} is required for registration"
            )));
        }
    }
    check_actions(&manifest).map_err(ApiError::BadRequest)?;
    if !shared.connectors.is_healthy(&manifest.connector_url).await {
        return Err(ApiError::BadRequest(format!(
            "Connector health check failed at {}. Registration rejected.",
            manifest.connector_url
        )));
    }
    tracing::debug!(
        connector = manifest.connector_id,
        url = manifest.connector_url,
        "registered"
    );
    shared.registry.put(manifest.clone());
    let (kept, life) = (manifest.clone(), shared.options.registration_ttl);
    let all = shared.registry.operators();
    shared
        .store
        .write(move |db| {
            registrations::put(db, &kept, life)?;
            operators::replace(db, &all)
        })
        .await?;
    recover_catalog(&shared, &manifest).await;
    Ok(ok())
}
