//! Accepts events (`protocol.md` §3.4): all of a request or none, in order, and only for a running
//! run of that source.

use omni_connector::wire::EventBatch;

use super::{
    Refusal,
    refusal::{NUL_IN_JSON, holds_nul},
};
use crate::{
    runs::cancel_because,
    shared::Shared,
    store::{StoreError, apply::apply, bounds, runs, sources},
    workbench::Fact,
};

/// Applies the events of one request. `failure` starts the message of internal errors.
pub(crate) async fn accept(
    shared: &Shared,
    batch: EventBatch,
    failure: &'static str,
) -> Result<(), Refusal> {
    let storage = move |error: StoreError| Refusal::Internal(format!("{failure}: {error}"));
    let (run_id, source) = (batch.sync_run_id.clone(), batch.source_id.clone());
    let mut batch = batch;
    let (so_far, ended) = shared
        .store
        .write(move |db| {
            let EventBatch {
                sync_run_id,
                source_id,
                events,
                ..
            } = &mut batch;
            let (sync_run_id, source_id) = (&*sync_run_id, &*source_id);
            let refused = |text: &str| Err(Refusal::BadRequest(text.to_owned()));
            match sources::is_deleted(db, source_id)? {
                None => return refused("Unknown event source"),
                Some(true) => return refused("Events may not be emitted for a deleted source"),
                Some(false) => {}
            }
            let Some(run) = runs::find(db, sync_run_id)? else {
                return refused("Unknown sync run");
            };
            if run.source_id != *source_id {
                return refused("Sync run does not belong to the supplied source");
            }
            if !run.is_running() {
                return refused("Events may only be emitted for a running sync run");
            }
            if events
                .iter()
                .any(|event| event.ids() != (sync_run_id, source_id))
            {
                return refused(
                    "Event source_id/sync_run_id does not match the trusted request context",
                );
            }
            let as_json = |event| serde_json::to_value(event).unwrap_or_default();
            if events.iter().map(as_json).any(|event| holds_nul(&event)) {
                return Err(Refusal::Internal(format!("{failure}: {NUL_IN_JSON}")));
            }
            let mut bound = bounds::find(db, sync_run_id)?;
            if let Some(bound) = &mut bound {
                bound.admit(events, runs::effects(db, sync_run_id)?.documents());
                bounds::put(db, sync_run_id, bound)?;
            }
            apply(db, sync_run_id, source_id, events).map_err(storage)?;
            let ended = bound.filter(|bound| bound.is_reached);
            Ok((runs::effects(db, sync_run_id)?.documents(), ended))
        })
        .await?;
    if let Some(bound) = ended {
        let shared = shared.clone();
        // The connector waits for this answer before it can stop.
        tokio::spawn(async move {
            if let Err(error) = cancel_because(&shared, &run_id, &bound.message()).await {
                tracing::debug!(%error, "a bounded run had ended");
            }
        });
    }
    if shared
        .workbench
        .kill_if_due(&source, Fact::Documents(so_far))
    {
        // The process dies without the answer.
        shared.workbench.stopped_serving().await;
    }
    Ok(())
}
