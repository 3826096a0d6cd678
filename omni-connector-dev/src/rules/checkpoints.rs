//! Manual changes of a source's checkpoint: rewinds it to one that a run saved, or replaces it.

use serde_json::Value;

use super::{
    Refusal,
    refusal::{NUL_IN_JSON, holds_nul},
};
use crate::{
    lookup,
    shared::Shared,
    store::{checkpoints, history, runs, runs::SlotClass},
};

/// Rewinds a source to a checkpoint that a run saved. The next run starts from it.
pub(crate) async fn rewind(shared: &Shared, source_id: &str, saved: i64) -> Result<(), Refusal> {
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
    let Some(checkpoint) = found.checkpoint else {
        return Err(Refusal::BadRequest(format!(
            "the checkpoint has {} bytes, and versions above 64 KB are not kept",
            found.size
        )));
    };
    set_checkpoint(shared, source_id, checkpoint).await
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
