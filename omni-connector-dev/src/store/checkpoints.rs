//! Checkpoints of runs and of sources, each in its own row. A checkpoint grows with its source and
//! SQLite rewrites whole rows, so it must never share a row with columns that change at every
//! request.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde_json::Value;

use super::{StoreError, column::Json};

/// A run or a source together with its checkpoint, as the protocol writes it.
#[derive(Debug, Serialize)]
pub struct WithCheckpoint<T> {
    /// The run or source.
    #[serde(flatten)]
    pub record: T,
    /// `None` when there is no checkpoint, or when it is hidden from the reader.
    pub checkpoint: Option<Value>,
}

/// Finds the checkpoint of a run or a source by the owner's id. `None` means never saved; a saved
/// null is `Some(Null)`.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(db: &Connection, owner: &str) -> Result<Option<Value>, StoreError> {
    Ok(db
        .prepare_cached("SELECT checkpoint FROM checkpoints WHERE owner = ?1")?
        .query_row([owner], |row| row.get(0))
        .optional()?
        .map(|Json(checkpoint)| checkpoint))
}

/// Saves the checkpoint of a run or a source and replaces the previous one.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put(db: &Connection, owner: &str, checkpoint: &Value) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO checkpoints (owner, checkpoint) VALUES (?1, ?2) ON CONFLICT (owner) DO UPDATE SET checkpoint = ?2",
    )?
    .execute(params![owner, Json(checkpoint)])?;
    Ok(())
}

/// Copies a run's checkpoint to its source, or removes the source's when the run has none. Removes
/// the checkpoints of earlier runs, so that the store does not grow with every run.
pub(super) fn publish(db: &Connection, run_id: &str, source_id: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "DELETE FROM checkpoints WHERE owner = ?2 OR owner IN (
            SELECT id FROM sync_runs WHERE source_id = ?2 AND status <> 'running' AND id <> ?1)",
    )?
    .execute([run_id, source_id])?;
    db.prepare_cached(
        "INSERT INTO checkpoints (owner, checkpoint) SELECT ?2, checkpoint FROM checkpoints WHERE owner = ?1",
    )?
    .execute([run_id, source_id])?;
    Ok(())
}
