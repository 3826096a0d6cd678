//! Sync runs: their states, counters and checkpoints (`protocol.md` §5.1). Every change requires
//! that the run is still `running`, so an ended run must never change.

mod effects;

pub use effects::{RefusedEvent, RunEffects, effects, refused_events};
pub(super) use effects::{count_content, count_effects};

use omni_connector::{SyncType, wire::timestamp::extended};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::{
    StoreError, checkpoints,
    column::{Micros, Name, new_id},
    history, run_documents,
};

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// The connector works on it
    Running,
    /// Ended by the connector, checkpoint published
    Completed,
    /// Ended by the connector or by the manager, with a message
    Failed,
    /// Ended by a person, or since its source is off
    Cancelled,
}

/// Why a run was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerType {
    /// The scheduler
    Scheduled,
    /// A person, or the connector itself
    Manual,
    /// A webhook of the connector
    Webhook,
}

/// The class of runs that share a slot: one run of each class per source (`protocol.md` §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlotClass {
    /// Full and incremental runs
    Scheduled,
    /// Realtime runs
    Realtime,
}

impl SlotClass {
    /// Returns the slot class of a sync type.
    pub fn of(sync_type: SyncType) -> Self {
        if sync_type == SyncType::Realtime {
            Self::Realtime
        } else {
            Self::Scheduled
        }
    }

    /// Returns the name used in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Realtime => "realtime",
        }
    }
}

/// One run. Serializes to the protocol's record (§4.10) without its checkpoint, which [`checkpoints`] holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the fields are those of the protocol's SyncRun"
)]
pub struct Run {
    pub id: String,
    pub source_id: String,
    pub sync_type: SyncType,
    #[serde(with = "extended")]
    pub started_at: OffsetDateTime,
    #[serde(with = "extended::option")]
    pub completed_at: Option<OffsetDateTime>,
    pub status: RunStatus,
    pub trigger_type: TriggerType,
    pub documents_scanned: i32,
    pub documents_processed: i32,
    pub documents_updated: i32,
    pub error_message: Option<String>,
    #[serde(with = "extended")]
    pub created_at: OffsetDateTime,
    #[serde(with = "extended")]
    pub updated_at: OffsetDateTime,
}

impl Run {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            source_id: row.get("source_id")?,
            sync_type: row.get::<_, Name<_>>("sync_type")?.0,
            started_at: row.get::<_, Micros>("started_at")?.0,
            completed_at: row
                .get::<_, Option<Micros>>("completed_at")?
                .map(|Micros(time)| time),
            status: row.get::<_, Name<_>>("status")?.0,
            trigger_type: row.get::<_, Name<_>>("trigger_type")?.0,
            documents_scanned: row.get("documents_scanned")?,
            documents_processed: row.get("documents_processed")?,
            documents_updated: row.get("documents_updated")?,
            error_message: row.get("error_message")?,
            created_at: row.get::<_, Micros>("created_at")?.0,
            updated_at: row.get::<_, Micros>("updated_at")?.0,
        })
    }

    /// Returns the run's slot class.
    pub fn class(&self) -> SlotClass {
        SlotClass::of(self.sync_type)
    }

    /// Returns whether the run is running.
    pub fn is_running(&self) -> bool {
        self.status == RunStatus::Running
    }
}

/// Creates a run in state `running`.
///
/// # Errors
/// Fails with a conflict when the slot is taken, else when SQLite fails.
pub fn insert(
    db: &Connection,
    source_id: &str,
    sync_type: SyncType,
    trigger_type: TriggerType,
) -> Result<Run, StoreError> {
    run_documents::forget_old(db, source_id)?;
    let run = db
        .prepare_cached(
            "INSERT INTO sync_runs (id, source_id, sync_type, status, trigger_type, started_at, created_at, updated_at,
                last_activity_at)
             VALUES (?1, ?2, ?3, 'running', ?4, ?5, ?5, ?5, ?5) RETURNING *",
        )?
        .query_row(
            params![new_id(), source_id, Name(sync_type), Name(trigger_type), Micros::now()],
            Run::read,
        )?;
    history::note_settings(db, &run.id, source_id)?;
    Ok(run)
}

/// Finds a run by id.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(db: &Connection, id: &str) -> Result<Option<Run>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM sync_runs WHERE id = ?1")?
        .query_row([id], Run::read)
        .optional()?)
}

/// Returns the latest runs of one source or of all, newest first.
///
/// # Errors
/// Fails when SQLite fails.
pub fn latest(
    db: &Connection,
    source_id: Option<&str>,
    limit: usize,
) -> Result<Vec<Run>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT * FROM sync_runs WHERE ?1 IS NULL OR source_id = ?1
             ORDER BY started_at DESC, rowid DESC LIMIT ?2",
        )?
        .query_map(params![source_id, limit], Run::read)?
        .collect::<Result<_, _>>()?)
}

/// Returns the latest full and incremental runs of a source, newest first.
///
/// # Errors
/// Fails when SQLite fails.
pub fn latest_scheduled(
    db: &Connection,
    source_id: &str,
    limit: usize,
) -> Result<Vec<Run>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT * FROM sync_runs WHERE source_id = ?1 AND sync_type <> 'realtime'
             ORDER BY started_at DESC, rowid DESC LIMIT ?2",
        )?
        .query_map(params![source_id, limit], Run::read)?
        .collect::<Result<_, _>>()?)
}

/// Returns all running runs, oldest first.
///
/// # Errors
/// Fails when SQLite fails.
pub fn running(db: &Connection) -> Result<Vec<Run>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT * FROM sync_runs WHERE status = 'running' ORDER BY started_at, rowid",
        )?
        .query_map([], Run::read)?
        .collect::<Result<_, _>>()?)
}

/// Counts running runs: all, and those of `class`.
///
/// # Errors
/// Fails when SQLite fails.
pub fn count_running(db: &Connection, class: SlotClass) -> Result<(usize, usize), StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE (sync_type = 'realtime') = ?1)
             FROM sync_runs WHERE status = 'running'",
        )?
        .query_row([class == SlotClass::Realtime], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?)
}

/// Returns whether a run of that source and class is running.
///
/// # Errors
/// Fails when SQLite fails.
pub fn is_slot_taken(
    db: &Connection,
    source_id: &str,
    class: SlotClass,
) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM sync_runs WHERE status = 'running' AND source_id = ?1 AND (sync_type = 'realtime') = ?2",
        )?
        .exists(params![source_id, class == SlotClass::Realtime])?)
}

/// Returns when a run of that source, of any type, last completed.
///
/// # Errors
/// Fails when SQLite fails.
pub fn latest_completion(
    db: &Connection,
    source_id: &str,
) -> Result<Option<OffsetDateTime>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT max(completed_at) FROM sync_runs WHERE source_id = ?1 AND status = 'completed'",
        )?
        .query_row([source_id], |row| row.get::<_, Option<Micros>>(0))?
        .map(|Micros(time)| time))
}

/// Returns the full run of that source that completed last.
///
/// # Errors
/// Fails when SQLite fails.
pub fn latest_full(db: &Connection, source_id: &str) -> Result<Option<Run>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT * FROM sync_runs WHERE source_id = ?1 AND status = 'completed' AND sync_type = 'full'
             ORDER BY completed_at DESC, rowid DESC LIMIT 1",
        )?
        .query_row([source_id], Run::read)
        .optional()?)
}

/// Returns runs without activity for longer than `limit`, oldest first.
///
/// # Errors
/// Fails when SQLite fails.
pub fn stale(db: &Connection, limit: Duration) -> Result<Vec<Run>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT * FROM sync_runs WHERE status = 'running' AND last_activity_at < ?1 ORDER BY started_at, rowid",
        )?
        .query_map([Micros(Micros::now().0.saturating_sub(limit))], Run::read)?
        .collect::<Result<_, _>>()?)
}

/// Records activity of the run.
///
/// # Errors
/// Fails when SQLite fails.
pub fn touch(db: &Connection, id: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE sync_runs SET last_activity_at = ?2 WHERE id = ?1 AND status = 'running'",
    )?
    .execute(params![id, Micros::now()])?;
    Ok(())
}

/// Adds to the counter of scanned documents.
///
/// # Errors
/// Fails with a conflict when the counter exceeds 32 bits, else when SQLite fails.
pub fn add_scanned(db: &Connection, id: &str, count: i32) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE sync_runs SET documents_scanned = documents_scanned + ?2, last_activity_at = ?3, updated_at = ?3
         WHERE id = ?1 AND status = 'running'",
    )?
    .execute(params![id, count, Micros::now()])?;
    Ok(())
}

/// Adds to the counter of updated documents.
///
/// # Errors
/// Fails with a conflict when the counter exceeds 32 bits, else when SQLite fails.
pub fn add_updated(db: &Connection, id: &str, count: i32) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE sync_runs SET documents_updated = documents_updated + ?2, last_activity_at = ?3, updated_at = ?3
         WHERE id = ?1 AND status = 'running'",
    )?
    .execute(params![id, count, Micros::now()])?;
    Ok(())
}

/// Replaces the run's checkpoint. The source's checkpoint changes only on completion.
///
/// # Errors
/// Fails when SQLite fails.
pub fn save_checkpoint(db: &Connection, id: &str, checkpoint: &Value) -> Result<(), StoreError> {
    let running = db
        .prepare_cached(
            "UPDATE sync_runs SET last_activity_at = ?2, updated_at = ?2 WHERE id = ?1 AND status = 'running'",
        )?
        .execute(params![id, Micros::now()])?;
    if running == 1 {
        checkpoints::put(db, id, checkpoint)?;
        history::note(db, id, checkpoint)?;
    }
    Ok(())
}

/// Completes the run and publishes its checkpoint on the source, even if it never saved one.
/// Returns whether the run was running.
///
/// # Errors
/// Fails when SQLite fails.
pub fn complete(db: &Connection, id: &str) -> Result<bool, StoreError> {
    let now = Micros::now();
    let source_id: Option<String> = db
        .prepare_cached(
            "UPDATE sync_runs SET status = 'completed', completed_at = ?2, updated_at = ?2
             WHERE id = ?1 AND status = 'running' RETURNING source_id",
        )?
        .query_row(params![id, now], |row| row.get(0))
        .optional()?;
    let Some(source_id) = source_id else {
        return Ok(false);
    };
    checkpoints::publish(db, id, &source_id)?;
    db.prepare_cached("UPDATE sources SET updated_at = ?2 WHERE id = ?1")?
        .execute(params![source_id, now])?;
    Ok(true)
}

/// Marks the run as failed. Returns whether it was running.
///
/// # Errors
/// Fails when SQLite fails.
pub fn fail(db: &Connection, id: &str, message: &str) -> Result<bool, StoreError> {
    end(db, id, RunStatus::Failed, message)
}

/// Marks the run as cancelled. Returns whether it was running.
///
/// # Errors
/// Fails when SQLite fails.
pub fn cancel(db: &Connection, id: &str, message: &str) -> Result<bool, StoreError> {
    end(db, id, RunStatus::Cancelled, message)
}

fn end(db: &Connection, id: &str, status: RunStatus, message: &str) -> Result<bool, StoreError> {
    let ended = db
        .prepare_cached(
            "UPDATE sync_runs SET status = ?2, error_message = ?3, completed_at = ?4, updated_at = ?4
             WHERE id = ?1 AND status = 'running'",
        )?
        .execute(params![id, Name(status), message, Micros::now()])?;
    Ok(ended == 1)
}
