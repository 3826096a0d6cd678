//! Sends `POST /sync` and maps each answer to the run (`protocol.md` §2.3). Must never overwrite
//! the end of a run that the connector ended before it answered.

use omni_connector::{SyncType, wire::SyncRequest};
use reqwest::StatusCode;
use time::OffsetDateTime;

use super::TriggerError;
use crate::{
    shared::Shared,
    state::ConnectorError,
    store::{
        StoreError, bounds, checkpoints, reports,
        runs::{self, Run},
        sources::SourceRecord,
    },
};

/// Sends a new run to the connector. Ends the run if the connector refuses it. With `since`, the run begins with its own
/// checkpoint, which is of that time.
pub(super) async fn dispatch(
    shared: &Shared,
    connector_url: &str,
    run: &Run,
    source: &SourceRecord,
    since: Option<OffsetDateTime>,
) -> Result<(), TriggerError> {
    let mut request = request(shared, run, source, since.is_some()).await?;
    if since.is_some() {
        request.last_sync_at = since;
    }
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

/// Builds the body of `POST /sync`. A resumed run sends its own checkpoint if it saved one, else
/// the source's.
async fn request(
    shared: &Shared,
    run: &Run,
    source: &SourceRecord,
    is_resume: bool,
) -> Result<SyncRequest, StoreError> {
    let (run_id, source_id) = (run.id.clone(), source.id.clone());
    let is_incremental = run.sync_type == SyncType::Incremental;
    let (last_sync_at, checkpoint, refetch) = shared
        .store
        .read(move |db| {
            let last_sync_at = if is_incremental {
                runs::latest_completion(db, &source_id)?
            } else {
                None
            };
            let own = if is_resume {
                checkpoints::find(db, &run_id)?
            } else {
                None
            };
            let checkpoint = match own {
                None => checkpoints::find(db, &source_id)?,
                own => own,
            };
            let bound = bounds::find(db, &run_id)?;
            Ok::<_, StoreError>((last_sync_at, checkpoint, bound.and_then(|bound| bound.item)))
        })
        .await?;
    let mut request = SyncRequest::new(&run.id, &source.id, run.sync_type);
    request.last_sync_at = last_sync_at;
    request.checkpoint = checkpoint;
    request.is_resume = is_resume;
    request.refetch = refetch;
    Ok(request)
}

/// Sends a lost run to its connector again. Changes nothing but the run's activity (`protocol.md`
/// §5.5).
pub(super) async fn resume(
    shared: &Shared,
    connector_url: &str,
    run: &Run,
    source: &SourceRecord,
) -> Result<(), ResumeError> {
    let request = request(shared, run, source, true).await?;
    let id = run.id.clone();
    shared
        .store
        .write(move |db| reports::set_aside(db, &id))
        .await?;
    shared.connectors.sync(connector_url, &request).await?;
    let id = run.id.clone();
    shared.store.write(move |db| runs::touch(db, &id)).await?;
    Ok(())
}

/// Why a lost run was not resumed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResumeError {
    #[error("{0}")]
    Connector(#[from] ConnectorError),
    #[error("{0}")]
    Store(#[from] StoreError),
}
