//! `POST /sync`, and what each answer means for the run (`protocol.md` §2.3). A run that the connector ended before it
//! answered keeps its end, whatever the answer is.

use omni_connector::{SyncType, wire::SyncRequest};
use reqwest::StatusCode;

use super::TriggerError;
use crate::{
    shared::Shared,
    state::ConnectorError,
    store::{
        StoreError,
        runs::{self, Run},
        sources::SourceRecord,
    },
};

/// Hands a new run to the connector. A refused run is ended.
pub(super) async fn dispatch(
    shared: &Shared,
    connector_url: &str,
    run: &Run,
    source: &SourceRecord,
) -> Result<(), TriggerError> {
    let request = request(shared, run, source, source.checkpoint.clone(), false).await?;
    let Err(error) = shared.connectors.sync(connector_url, &request).await else {
        return Ok(());
    };
    tracing::warn!(run = run.id, %error, "the connector did not take the run");
    let id = run.id.clone();
    if run.sync_type == SyncType::Realtime && error.status() == Some(StatusCode::NOT_FOUND) {
        let message = "Realtime sync not available for this source";
        shared
            .store
            .write(move |db| runs::cancel(db, &id, message))
            .await?;
        return Err(TriggerError::RealtimeUnavailable(run.source_id.clone()));
    }
    let message = error.to_string();
    shared
        .store
        .write(move |db| runs::fail(db, &id, &message))
        .await?;
    Err(TriggerError::Connector(error))
}

/// The body of `POST /sync` for a run.
async fn request(
    shared: &Shared,
    run: &Run,
    source: &SourceRecord,
    checkpoint: Option<serde_json::Value>,
    is_resume: bool,
) -> Result<SyncRequest, StoreError> {
    let last_sync_at = if run.sync_type == SyncType::Incremental {
        let source_id = source.id.clone();
        shared
            .store
            .read(move |db| runs::latest_completion(db, &source_id))
            .await?
    } else {
        None
    };
    Ok(SyncRequest {
        sync_run_id: run.id.clone(),
        source_id: source.id.clone(),
        sync_mode: run.sync_type,
        last_sync_at,
        checkpoint,
        is_resume,
    })
}

/// Hands a lost run to the connector once more. The outcome changes nothing but the run's activity (`protocol.md` §5.5).
pub(super) async fn resume(
    shared: &Shared,
    connector_url: &str,
    run: &Run,
    source: &SourceRecord,
) -> Result<(), ResumeError> {
    let checkpoint = run.checkpoint.clone().or_else(|| source.checkpoint.clone());
    let request = request(shared, run, source, checkpoint, true).await?;
    shared.connectors.sync(connector_url, &request).await?;
    let id = run.id.clone();
    shared.store.write(move |db| runs::touch(db, &id)).await?;
    Ok(())
}

/// Why a lost run was not taken up again.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResumeError {
    #[error("{0}")]
    Connector(#[from] ConnectorError),
    #[error("{0}")]
    Store(#[from] StoreError),
}
