//! Manual changes of a source's checkpoint: rewinds it to one that a run saved, or replaces it.

use omni_connector::SyncType;
use serde_json::Value;

use super::{
    Refusal,
    refusal::{NUL_IN_JSON, holds_nul},
};
use crate::{
    lookup, runs as running,
    shared::Shared,
    store::{
        bounds::Bound,
        checkpoints,
        history::{self, SavedCheckpoint},
        runs::{self, Run, SlotClass},
    },
};

/// Rewinds a source to a checkpoint that a run saved, and starts a run from it at once.
pub(crate) async fn resume_from(
    shared: &Shared,
    source_id: &str,
    saved: i64,
) -> Result<Run, Refusal> {
    let source = lookup::source(shared, source_id).await?;
    let source = source.ok_or_else(|| Refusal::source_not_found(source_id))?;
    let Some(manifest) = lookup::connector(shared, &source) else {
        return Err(Refusal::connector_not_registered(&source.source_type));
    };
    if !manifest.sync_modes.contains(&SyncType::Incremental) {
        return Err(Refusal::Conflict(
            "the connector declares no incremental runs, and a full run begins at the start"
                .to_owned(),
        ));
    }
    let saved = rewind(shared, source_id, saved).await?;
    let all = Bound::default();
    Ok(running::trial(shared, source_id, SyncType::Incremental, all, Some(saved)).await?)
}

/// Rewinds a source to a checkpoint that a run saved, and returns it. The next run starts from it.
pub(crate) async fn rewind(
    shared: &Shared,
    source_id: &str,
    saved: i64,
) -> Result<SavedCheckpoint, Refusal> {
    let found = shared
        .store
        .read(move |db| history::find(db, saved))
        .await?;
    let found = found.filter(|found| found.source_id == source_id);
    let Some(found) = found else {
        return Err(Refusal::NotFound(format!(
            "no saved checkpoint `{saved}` of this source\nhelp: the newest 200 of each source are kept"
        )));
    };
    let Some(checkpoint) = found.checkpoint.clone() else {
        return Err(Refusal::BadRequest(format!(
            "the checkpoint has {} bytes, and versions above 64 KB are not kept",
            found.size
        )));
    };
    set_checkpoint(shared, source_id, checkpoint).await?;
    Ok(found)
}

/// Replaces the checkpoint of a source.
pub(crate) async fn set_checkpoint(
    shared: &Shared,
    source_id: &str,
    checkpoint: Value,
) -> Result<(), Refusal> {
    if lookup::source(shared, source_id).await?.is_none() {
        return Err(Refusal::source_not_found(source_id));
    }
    if holds_nul(&checkpoint) {
        return Err(Refusal::BadRequest(NUL_IN_JSON.to_owned()));
    }
    let id = source_id.to_owned();
    shared
        .store
        .write(move |db| {
            if runs::is_slot_taken(db, &id, SlotClass::Scheduled)? {
                return Err(Refusal::Conflict(
                    "a run of this source goes on and will save its own checkpoint\nhelp: stop the run first".to_owned(),
                ));
            }
            Ok(checkpoints::put(db, &id, &checkpoint)?)
        })
        .await
}
