//! Progress or result of a run.

use serde::{Deserialize, Serialize};

use crate::{
    shared::Shared,
    store::{
        StoreError,
        runs::{self, RefusedEvent, Run, RunEffects},
        textless::{self, Textless},
    },
};

/// Progress or result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The run, with the connector's own counters.
    pub run: Run,
    /// The run's effects on the store.
    pub effects: RunEffects,
}

/// Returns a run's progress, or `None` for an unknown run.
pub(crate) async fn progress(shared: &Shared, run: &str) -> Result<Option<Progress>, StoreError> {
    let id = run.to_owned();
    shared
        .store
        .read(move |db| {
            let Some(run) = runs::find(db, &id)? else {
                return Ok(None);
            };
            let effects = runs::effects(db, &id)?;
            Ok(Some(Progress { run, effects }))
        })
        .await
}

/// Returns the first `limit` accepted events of a run that could not be applied.
pub(crate) async fn refusals(
    shared: &Shared,
    run: &str,
    limit: usize,
) -> Result<Vec<RefusedEvent>, StoreError> {
    let id = run.to_owned();
    shared
        .store
        .read(move |db| runs::refused_events(db, &id, limit))
        .await
}

/// Returns files of a run whose text could not be read: the first `limit` by name.
pub(crate) async fn textless(
    shared: &Shared,
    run: &str,
    limit: usize,
) -> Result<Textless, StoreError> {
    let id = run.to_owned();
    shared
        .store
        .read(move |db| textless::of_run(db, &id, limit))
        .await
}
