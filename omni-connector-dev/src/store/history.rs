//! History for people: the checkpoints that runs saved, and the settings with which they began.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    StoreError, bounds,
    column::{Json, Micros},
    reports, requests, run_documents,
};

/// The number of checkpoints kept per source.
const KEPT: usize = 200;
/// The largest checkpoint that is kept in every version, in bytes.
const LARGEST: usize = 64 << 10;

/// A checkpoint that a run saved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SavedCheckpoint {
    /// Increases over all sources.
    pub id: i64,
    /// The run that saved it.
    pub sync_run_id: String,
    /// The source of the run.
    pub source_id: String,
    /// When it was saved.
    #[serde(with = "time::serde::rfc3339")]
    pub saved_at: OffsetDateTime,
    /// The number of documents that the run had sent by then.
    pub documents: u64,
    /// The size of its JSON in bytes.
    pub size: u64,
    /// None if it was too large to keep every version.
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

/// Creates missing tables.
pub(super) fn prepare(db: &Connection) -> Result<(), StoreError> {
    Ok(db.execute_batch(include_str!("history.sql"))?)
}

/// Stores a checkpoint that a run saved, and removes the oldest of its source.
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

/// Returns the checkpoints that a run saved, newest first.
///
/// # Errors
/// Fails when SQLite fails.
pub fn of_run(db: &Connection, run_id: &str) -> Result<Vec<SavedCheckpoint>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM saved_checkpoints WHERE sync_run_id = ?1 ORDER BY id DESC")?
        .query_map([run_id], SavedCheckpoint::read)?
        .collect::<Result<_, _>>()?)
}

/// Finds a saved checkpoint.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(db: &Connection, id: i64) -> Result<Option<SavedCheckpoint>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM saved_checkpoints WHERE id = ?1")?
        .query_row([id], SavedCheckpoint::read)
        .optional()?)
}

/// Returns the checkpoint with which a run of that source began, as far as it is known: the last one that a completed run
/// saved before. None if it was too large to be kept, or if there was none.
///
/// # Errors
/// Fails when SQLite fails.
pub fn before(db: &Connection, run_id: &str) -> Result<Option<SavedCheckpoint>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT saved.* FROM saved_checkpoints AS saved, sync_runs AS own, sync_runs AS other
             WHERE own.id = ?1 AND saved.source_id = own.source_id AND saved.sync_run_id = other.id
             AND other.status = 'completed' AND other.completed_at <= own.started_at
             ORDER BY saved.id DESC LIMIT 1",
        )?
        .query_row([run_id], SavedCheckpoint::read)
        .optional()?
        .filter(|saved| saved.checkpoint.is_some()))
}

/// Dismisses a kind of doubt about a source with a reason, or takes that back.
///
/// # Errors
/// Fails when SQLite fails.
pub fn dismiss_doubt(
    db: &Connection,
    source_id: &str,
    kind: &str,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    match reason {
        Some(reason) => db
            .prepare_cached("INSERT OR REPLACE INTO dismissed_doubts (source_id, kind, reason) VALUES (?1, ?2, ?3)")?
            .execute(params![source_id, kind, reason])?,
        None => db
            .prepare_cached("DELETE FROM dismissed_doubts WHERE source_id = ?1 AND kind = ?2")?
            .execute(params![source_id, kind])?,
    };
    Ok(())
}

/// Returns the kinds of doubts about a source that were dismissed, with the reasons.
///
/// # Errors
/// Fails when SQLite fails.
pub fn dismissed_doubts(
    db: &Connection,
    source_id: &str,
) -> Result<HashMap<String, String>, StoreError> {
    Ok(db
        .prepare_cached("SELECT kind, reason FROM dismissed_doubts WHERE source_id = ?1")?
        .query_map([source_id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?)
}

/// Keeps the settings with which a run begins.
pub(super) fn note_settings(
    db: &Connection,
    run_id: &str,
    source_id: &str,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO run_settings (sync_run_id, settings) SELECT ?1, config FROM sources WHERE id = ?2",
    )?
    .execute([run_id, source_id])?;
    Ok(())
}

/// Returns the settings with which a run began; none for a run of an earlier version.
///
/// # Errors
/// Fails when SQLite fails.
pub fn settings_of(db: &Connection, run_id: &str) -> Result<Option<Value>, StoreError> {
    let settings = db
        .prepare_cached("SELECT settings FROM run_settings WHERE sync_run_id = ?1")?
        .query_row([run_id], |row| row.get::<_, Json<_>>(0))
        .optional()?;
    Ok(settings.map(|Json(settings)| settings))
}

/// Removes the history of a source.
pub(super) fn forget(db: &Connection, source_id: &str) -> Result<(), StoreError> {
    reports::forget(db, source_id)?;
    db.prepare_cached("DELETE FROM saved_checkpoints WHERE source_id = ?1")?
        .execute([source_id])?;
    db.prepare_cached("DELETE FROM dismissed_doubts WHERE source_id = ?1")?
        .execute([source_id])?;
    db.prepare_cached(
        "DELETE FROM run_settings WHERE sync_run_id IN (SELECT id FROM sync_runs WHERE source_id = ?1)",
    )?
    .execute([source_id])?;
    requests::forget(db, source_id)?;
    bounds::forget(db, source_id)?;
    run_documents::forget(db, source_id)?;
    Ok(())
}
