//! What people look back at: what connectors said of their runs, and the checkpoints that runs have saved.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    StoreError,
    column::{Json, Micros},
    requests,
};

/// Checkpoints kept of one source.
const KEPT: usize = 200;
/// The largest checkpoint of which every version is kept, in bytes.
const LARGEST: usize = 64 << 10;

/// A checkpoint that a run has saved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SavedCheckpoint {
    /// Counts up over all sources.
    pub id: i64,
    /// The run that saved it.
    pub sync_run_id: String,
    /// The source of the run.
    pub source_id: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub saved_at: OffsetDateTime,
    /// Documents that the run had brought by then.
    pub documents: u64,
    /// Bytes of its JSON.
    pub size: u64,
    /// None where it was too large to keep every version of it.
    pub checkpoint: Option<Value>,
}

impl SavedCheckpoint {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let checkpoint: Option<Json<_>> = row.get("checkpoint")?;
        Ok(Self {
            id: row.get("id")?,
            sync_run_id: row.get("sync_run_id")?,
            source_id: row.get("source_id")?,
            saved_at: row.get::<_, Micros>("saved_at")?.0,
            documents: row.get("documents")?,
            size: row.get("size")?,
            checkpoint: checkpoint.map(|Json(checkpoint)| checkpoint),
        })
    }
}

/// Makes the tables that are missing.
pub(super) fn prepare(db: &Connection) -> Result<(), StoreError> {
    Ok(db.execute_batch(include_str!("history.sql"))?)
}

/// Keeps what a connector says of a run.
///
/// # Errors
/// Those of SQLite.
pub fn put_report(db: &Connection, run_id: &str, report: &Value) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO run_reports (sync_run_id, report) VALUES (?1, ?2) ON CONFLICT (sync_run_id) DO UPDATE SET report = ?2",
    )?
    .execute(params![run_id, Json(report)])?;
    Ok(())
}

/// What a connector last said of a run.
///
/// # Errors
/// Those of SQLite.
pub fn report(db: &Connection, run_id: &str) -> Result<Option<Value>, StoreError> {
    Ok(db
        .prepare_cached("SELECT report FROM run_reports WHERE sync_run_id = ?1")?
        .query_row([run_id], |row| row.get(0))
        .optional()?
        .map(|Json(report)| report))
}

/// Keeps a checkpoint that a run saved, and forgets the oldest of its source.
pub(super) fn note(db: &Connection, run_id: &str, checkpoint: &Value) -> Result<(), StoreError> {
    let text = checkpoint.to_string();
    let kept = (text.len() <= LARGEST).then_some(&text);
    let added = db
        .prepare_cached(
            "INSERT INTO saved_checkpoints (sync_run_id, source_id, saved_at, documents, size, checkpoint)
             SELECT id, source_id, ?2, effect_created + effect_updated + effect_unchanged, ?3, ?4
             FROM sync_runs WHERE id = ?1",
        )?
        .execute(params![run_id, Micros::now(), text.len(), kept])?;
    if added == 1 {
        db.prepare_cached(
            "DELETE FROM saved_checkpoints WHERE id IN (
                SELECT id FROM saved_checkpoints
                WHERE source_id = (SELECT source_id FROM sync_runs WHERE id = ?1)
                ORDER BY id DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute(params![run_id, KEPT])?;
    }
    Ok(())
}

/// The checkpoints that a run has saved, the newest first.
///
/// # Errors
/// Those of SQLite.
pub fn of_run(db: &Connection, run_id: &str) -> Result<Vec<SavedCheckpoint>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM saved_checkpoints WHERE sync_run_id = ?1 ORDER BY id DESC")?
        .query_map([run_id], SavedCheckpoint::read)?
        .collect::<Result<_, _>>()?)
}

/// One checkpoint of those that were saved.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Connection, id: i64) -> Result<Option<SavedCheckpoint>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM saved_checkpoints WHERE id = ?1")?
        .query_row([id], SavedCheckpoint::read)
        .optional()?)
}

/// Forgets all of a source.
pub(super) fn forget(db: &Connection, source_id: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "DELETE FROM run_reports WHERE sync_run_id IN (SELECT id FROM sync_runs WHERE source_id = ?1)",
    )?
    .execute([source_id])?;
    db.prepare_cached("DELETE FROM saved_checkpoints WHERE source_id = ?1")?
        .execute([source_id])?;
    requests::forget(db, source_id)?;
    Ok(())
}
