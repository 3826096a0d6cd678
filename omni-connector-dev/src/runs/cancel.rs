//! Cancels a run for a person (`protocol.md` §5.6): notifies the connector first, then marks the
//! run. Must never overwrite an end that the connector reports in between.

use omni_connector::wire::IntegrationType;

use crate::{
    shared::Shared,
    store::{StoreError, runs, sources},
};

/// Why a run was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The run does not exist.
    #[error("Sync run not found: {0}")]
    RunNotFound(String),
    /// The run has ended, perhaps a moment ago.
    #[error("Sync is not running: {0}")]
    NotRunning(String),
    /// The run's source no longer exists.
    #[error("Source not found: {0}")]
    SourceNotFound(String),
    /// No live connector claims the type; the run continues.
    #[error("Connector not configured for type: {0:?}")]
    ConnectorNotConfigured(String),
    /// The store failed.
    #[error("Database error: {0}")]
    Store(#[from] StoreError),
}

/// Cancels a run on a person's behalf.
pub(crate) async fn cancel(shared: &Shared, run_id: &str) -> Result<(), CancelError> {
    cancel_because(shared, run_id, "Cancelled by user").await
}

/// Cancels a run with this message.
pub(crate) async fn cancel_because(
    shared: &Shared,
    run_id: &str,
    message: &str,
) -> Result<(), CancelError> {
    let id = run_id.to_owned();
    let source = shared
        .store
        .read(move |db| {
            let run = runs::find(db, &id)?.ok_or_else(|| CancelError::RunNotFound(id.clone()))?;
            if !run.is_running() {
                return Err(CancelError::NotRunning(id));
            }
            sources::find(db, &run.source_id)?.ok_or(CancelError::SourceNotFound(run.source_id))
        })
        .await?;
    let manifest = (source.integration_type == IntegrationType::Connector)
        .then(|| shared.registry.serving(&source.source_type))
        .flatten();
    let Some(manifest) = manifest else {
        return Err(CancelError::ConnectorNotConfigured(source.source_type));
    };
    shared
        .connectors
        .cancel(&manifest.connector_url, run_id)
        .await;
    let (id, message) = (run_id.to_owned(), message.to_owned());
    let was_running = shared
        .store
        .write(move |db| runs::cancel(db, &id, &message))
        .await?;
    if was_running {
        Ok(())
    } else {
        Err(CancelError::NotRunning(run_id.to_owned()))
    }
}
