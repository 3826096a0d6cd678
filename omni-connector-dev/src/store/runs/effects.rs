//! What runs changed in the store.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::store::{StoreError, column::Micros};

/// Effects of a run on the store, in addition to the connector's own counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEffects {
    /// Documents that were not there before
    pub created: u64,
    /// Documents that changed
    pub updated: u64,
    /// Documents sent again as they were
    pub unchanged: u64,
    /// Documents removed
    pub deleted: u64,
    /// Events that were accepted and could not be applied; see [`refused_events`]
    pub refused: u64,
    /// Texts stored that were not there before
    pub contents_stored: u64,
    /// Bytes of those texts
    pub content_bytes: u64,
}

impl RunEffects {
    /// Returns how many documents were sent, changed or not.
    pub fn documents(&self) -> u64 {
        self.created + self.updated + self.unchanged
    }
}

/// An accepted event that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedEvent {
    /// The document's id, or the address of the group or person
    pub subject: String,
    /// Why
    pub reason: String,
}

/// Counts a newly stored text.
///
/// # Errors
/// Fails when SQLite fails.
pub(in crate::store) fn count_content(
    db: &Connection,
    id: &str,
    bytes: usize,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE sync_runs SET contents_stored = contents_stored + 1, content_bytes = content_bytes + ?2 WHERE id = ?1",
    )?
    .execute(params![id, bytes])?;
    Ok(())
}

/// Adds to the run's effects, and to `documents_processed` as the indexer does.
///
/// # Errors
/// Fails when SQLite fails.
pub(in crate::store) fn count_effects(
    db: &Connection,
    id: &str,
    effects: &RunEffects,
) -> Result<(), StoreError> {
    let processed = effects.created + effects.updated + effects.unchanged + effects.deleted;
    db.prepare_cached(
        "UPDATE sync_runs SET effect_created = effect_created + ?2, effect_updated = effect_updated + ?3,
            effect_unchanged = effect_unchanged + ?4, effect_deleted = effect_deleted + ?5,
            effect_refused = effect_refused + ?6, documents_processed = documents_processed + ?7,
            last_activity_at = ?8
         WHERE id = ?1 AND status = 'running'",
    )?
    .execute(params![
        id,
        effects.created,
        effects.updated,
        effects.unchanged,
        effects.deleted,
        effects.refused,
        processed,
        Micros::now(),
    ])?;
    Ok(())
}

/// Returns the effects of a run.
///
/// # Errors
/// Fails when SQLite fails.
pub fn effects(db: &Connection, id: &str) -> Result<RunEffects, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT effect_created, effect_updated, effect_unchanged, effect_deleted, effect_refused, contents_stored,
                content_bytes FROM sync_runs WHERE id = ?1",
        )?
        .query_row([id], |row| {
            Ok(RunEffects {
                created: row.get(0)?,
                updated: row.get(1)?,
                unchanged: row.get(2)?,
                deleted: row.get(3)?,
                refused: row.get(4)?,
                contents_stored: row.get(5)?,
                content_bytes: row.get(6)?,
            })
        })
        .optional()?
        .unwrap_or_default())
}

/// Returns the first `limit` accepted events of a run that could not be applied.
///
/// # Errors
/// Fails when SQLite fails.
pub fn refused_events(
    db: &Connection,
    id: &str,
    limit: usize,
) -> Result<Vec<RefusedEvent>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT subject, reason FROM refused_events WHERE sync_run_id = ?1 ORDER BY rowid LIMIT ?2",
        )?
        .query_map(params![id, limit], |row| {
            Ok(RefusedEvent {
                subject: row.get(0)?,
                reason: row.get(1)?,
            })
        })?
        .collect::<Result<_, _>>()?)
}
