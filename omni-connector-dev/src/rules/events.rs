//! Accepts events (`protocol.md` §3.4): all of a request or none, in order, and only for a running
//! run of that source.

use omni_connector::wire::EventBatch;

use super::{
    Refusal,
    refusal::{NUL_IN_JSON, holds_nul},
};
use crate::{
    shared::Shared,
    store::{StoreError, apply::apply, runs, sources},
};

/// Applies the events of one request. `failure` starts the message of internal errors.
pub(crate) async fn accept(
    shared: &Shared,
    batch: EventBatch,
    failure: &'static str,
) -> Result<(), Refusal> {
    let storage = move |error: StoreError| Refusal::Internal(format!("{failure}: {error}"));
    shared
        .store
        .write(move |db| {
            let EventBatch {
                sync_run_id,
                source_id,
                events,
                ..
            } = &batch;
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
            apply(db, sync_run_id, source_id, events).map_err(storage)?;
            Ok(())
        })
        .await
}
