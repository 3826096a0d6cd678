//! What a connector reads of its source (`protocol.md` §3.7). Inactive and deleted sources are served too.

use axum::{Json, extract::State};
use omni_connector::{
    ServiceCredential, SourceType,
    contract::{UnknownName, UserFilterMode},
};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};

use super::{ok, progress::refuse_nul};
use crate::{
    credentials,
    http::{
        body::{Id, JsonBody},
        error::ApiError,
    },
    manager::Shared,
    store::{
        StoreError, checkpoints, configs,
        sources::{self, SourceRecord},
        users,
    },
};

/// The protocol's Source: the stored record with its checkpoint.
#[derive(Debug, Serialize)]
pub(super) struct Source {
    #[serde(flatten)]
    record: SourceRecord,
    checkpoint: Option<Value>,
}

impl Source {
    fn read(db: &Connection, record: SourceRecord) -> Result<Self, StoreError> {
        let checkpoint = checkpoints::find(db, &record.id)?;
        Ok(Self { record, checkpoint })
    }
}

pub(super) async fn source(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<Json<Source>, ApiError> {
    let read = move |db: &Connection| Ok::<_, ApiError>(Source::read(db, find(db, &id)?)?);
    Ok(Json(shared.store.read(read).await?))
}

pub(super) async fn credentials(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<Json<ServiceCredential>, ApiError> {
    let source = shared
        .store
        .read({
            let id = id.clone();
            move |db| find(db, &id)
        })
        .await?;
    let credential = credentials::owner(&shared, &source).await?;
    credential
        .map(Json)
        .ok_or_else(|| ApiError::credentials_not_found(&id))
}

/// Everything a run needs, in one answer.
#[derive(Debug, Serialize)]
pub(super) struct SyncConfig {
    config: Value,
    credentials: Value,
    connector_state: Option<Value>,
    checkpoint: Option<Value>,
    source_type: SourceType,
    user_filter_mode: UserFilterMode,
    user_whitelist: Option<Vec<String>>,
    user_blacklist: Option<Vec<String>>,
}

pub(super) async fn sync_config(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<Json<SyncConfig>, ApiError> {
    let config = shared
        .store
        .read(move |db| {
            let source = find(db, &id)?;
            let source_type = source.source_type.parse().map_err(|_: UnknownName| {
                ApiError::BadRequest(format!(
                    "Source {id} cannot be served to a native connector SDK: unknown source type: {}",
                    source.source_type
                ))
            })?;
            let credential = credentials::stored_owner(db, &source)?;
            Ok::<_, ApiError>(SyncConfig {
                config: source.config,
                credentials: credential.map_or_else(|| json!({}), |row| row.credentials),
                connector_state: source.connector_state,
                checkpoint: checkpoints::find(db, &source.id)?,
                source_type,
                user_filter_mode: source.user_filter_mode,
                user_whitelist: source.user_whitelist,
                user_blacklist: source.user_blacklist,
            })
        })
        .await?;
    Ok(Json(config))
}

pub(super) async fn user_email(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Result<Json<Value>, ApiError> {
    let user = shared
        .store
        .read(move |db| match sources::find(db, &id)? {
            Some(source) => users::find(db, &source.created_by),
            None => Ok(None),
        })
        .await?;
    match user {
        Some(user) => Ok(Json(json!({ "email": user.email }))),
        // The real manager answers 500 here, not 404.
        None => Err(ApiError::Internal(
            "Failed to get user email: no rows returned by a query that expected to return at least one row"
                .to_owned(),
        )),
    }
}

pub(super) async fn put_connector_state(
    State(shared): State<Shared>,
    Id(id): Id,
    JsonBody(state): JsonBody<Value>,
) -> Result<Json<Value>, ApiError> {
    refuse_nul(&state, "Failed to update connector state")?;
    shared
        .store
        .write(move |db| sources::put_connector_state(db, &id, &state))
        .await?;
    Ok(ok())
}

pub(super) async fn by_type(
    State(shared): State<Shared>,
    Id(source_type): Id,
) -> Result<Json<Vec<Source>>, ApiError> {
    let sources = shared
        .store
        .read(move |db| {
            let records = sources::active_of_type(db, &source_type)?.into_iter();
            records
                .map(|record| Source::read(db, record))
                .collect::<Result<_, StoreError>>()
        })
        .await?;
    Ok(Json(sources))
}

pub(super) async fn connector_config(
    State(shared): State<Shared>,
    Id(provider): Id,
) -> Result<Json<Value>, ApiError> {
    let config = shared
        .store
        .read(move |db| {
            configs::find(db, &provider)?.ok_or_else(|| {
                ApiError::NotFound(format!(
                    "Connector config not found for provider: {provider}"
                ))
            })
        })
        .await?;
    Ok(Json(config))
}

fn find(db: &Connection, id: &str) -> Result<SourceRecord, ApiError> {
    sources::find(db, id)?.ok_or_else(|| ApiError::source_not_found(id))
}
