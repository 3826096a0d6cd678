//! `POST /oauth/credential-ready` (`protocol.md` §8.6). The status is 200 whatever became of the notice.

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    credential_ready::{Outcome, tell},
    http::{body::JsonBody, error::ApiError},
    manager::Shared,
    registry::check_actions,
    store::sources,
};

#[derive(Debug, Deserialize)]
pub(super) struct Notice {
    source_id: String,
    user_id: Option<String>,
    provider: String,
    flow: String,
}

pub(super) async fn credential_ready(
    State(shared): State<Shared>,
    JsonBody(notice): JsonBody<Notice>,
) -> Result<Json<Value>, ApiError> {
    let id = notice.source_id.clone();
    let source = shared
        .store
        .read(move |db| sources::find(db, &id))
        .await?
        .ok_or_else(|| ApiError::source_not_found(&notice.source_id))?;
    let Some(manifest) = shared.registry.serving(&source.source_type) else {
        return Err(ApiError::connector_not_registered(&source.source_type));
    };
    let outcome = tell(
        &shared,
        &manifest.connector_url,
        &notice.source_id,
        notice.user_id.as_deref(),
        &notice.provider,
        &notice.flow,
    )
    .await?;
    Ok(Json(match outcome {
        Outcome::NoCredentials => json!({ "status": "no_credentials" }),
        Outcome::MissingCredentials => json!({ "status": "missing_credentials" }),
        Outcome::Failed => json!({ "status": "delivery_failed" }),
        Outcome::Delivered => json!({ "status": "delivered", "catalog_updated": false }),
        Outcome::Manifest(manifest) if check_actions(&manifest).is_err() => {
            json!({ "status": "invalid_manifest" })
        }
        Outcome::Manifest(manifest) => {
            // Neither id, address nor health is looked at here, and operators stay as they are.
            shared.registry.put(*manifest);
            json!({ "status": "completed", "catalog_updated": true })
        }
    }))
}
