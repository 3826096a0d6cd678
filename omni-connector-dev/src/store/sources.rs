//! Sources: configured connections of a company to one system (`protocol.md` §4.2).

use omni_connector::wire::{IntegrationType, SourceScope, UserFilterMode, timestamp::extended};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    StoreError,
    column::{Json, Micros, Name, new_id},
    documents, history,
};

/// Documents of a deleted source removed per transaction. A small number keeps other writers from
/// waiting.
const REMOVED_AT_ONCE: usize = 500;

/// A source as the manager stores it. Serializes to the record that connectors read, without its
/// checkpoint, which [`checkpoints`](super::checkpoints) holds. Its type is any string, unlike in
/// that record: sources of remote MCP servers have custom types.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the protocol's Source")]
pub struct SourceRecord {
    pub id: String,
    pub name: String,
    pub source_type: String,
    pub integration_type: IntegrationType,
    pub config: Value,
    pub is_active: bool,
    pub is_deleted: bool,
    pub scope: SourceScope,
    pub user_filter_mode: UserFilterMode,
    pub user_whitelist: Option<Vec<String>>,
    pub user_blacklist: Option<Vec<String>>,
    pub connector_state: Option<Value>,
    pub sync_interval_seconds: Option<i32>,
    #[serde(with = "extended")]
    pub created_at: OffsetDateTime,
    #[serde(with = "extended")]
    pub updated_at: OffsetDateTime,
    pub created_by: String,
}

impl SourceRecord {
    /// Creates an active source of the organisation, with scheduled runs off.
    pub fn new(
        name: impl Into<String>,
        source_type: impl Into<String>,
        config: Value,
        created_by: impl Into<String>,
    ) -> Self {
        let Micros(now) = Micros::now();
        Self {
            id: new_id(),
            name: name.into(),
            source_type: source_type.into(),
            integration_type: IntegrationType::Connector,
            config,
            is_active: true,
            is_deleted: false,
            scope: SourceScope::Org,
            user_filter_mode: UserFilterMode::All,
            user_whitelist: None,
            user_blacklist: None,
            connector_state: None,
            sync_interval_seconds: None,
            created_at: now,
            updated_at: now,
            created_by: created_by.into(),
        }
    }

    /// Returns whether the source's config blocks write actions.
    pub fn is_read_only(&self) -> bool {
        self.config.get("read_only") == Some(&Value::Bool(true))
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let list = |column| -> rusqlite::Result<Option<Vec<String>>> {
            Ok(row
                .get::<_, Option<Json<_>>>(column)?
                .map(|Json(list)| list))
        };
        let value = |column| -> rusqlite::Result<Option<Value>> {
            Ok(row
                .get::<_, Option<Json<_>>>(column)?
                .map(|Json(value)| value))
        };
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            source_type: row.get("source_type")?,
            integration_type: row.get::<_, Name<_>>("integration_type")?.0,
            config: row.get::<_, Json<_>>("config")?.0,
            is_active: row.get("is_active")?,
            is_deleted: row.get("is_deleted")?,
            scope: row.get::<_, Name<_>>("scope")?.0,
            user_filter_mode: row.get::<_, Name<_>>("user_filter_mode")?.0,
            user_whitelist: list("user_whitelist")?,
            user_blacklist: list("user_blacklist")?,
            connector_state: value("connector_state")?,
            sync_interval_seconds: row.get("sync_interval_seconds")?,
            created_at: row.get::<_, Micros>("created_at")?.0,
            updated_at: row.get::<_, Micros>("updated_at")?.0,
            created_by: row.get("created_by")?,
        })
    }
}

/// Stores a source and replaces the one with the same id.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put(db: &Connection, source: &SourceRecord) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO sources (id, name, source_type, integration_type, config, is_active, is_deleted, scope,
            user_filter_mode, user_whitelist, user_blacklist, connector_state, sync_interval_seconds, created_at, updated_at,
            created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (id) DO UPDATE SET name = ?2, source_type = ?3, integration_type = ?4, config = ?5, is_active = ?6,
            is_deleted = ?7, scope = ?8, user_filter_mode = ?9, user_whitelist = ?10, user_blacklist = ?11,
            connector_state = ?12, sync_interval_seconds = ?13, created_at = ?14, updated_at = ?15, created_by = ?16",
    )?
    .execute(params![
        source.id,
        source.name,
        source.source_type,
        Name(source.integration_type),
        Json(&source.config),
        source.is_active,
        source.is_deleted,
        Name(source.scope),
        Name(source.user_filter_mode),
        source.user_whitelist.as_ref().map(Json),
        source.user_blacklist.as_ref().map(Json),
        source.connector_state.as_ref().map(Json),
        source.sync_interval_seconds,
        Micros(source.created_at),
        Micros(source.updated_at),
        source.created_by,
    ])?;
    Ok(())
}

/// Finds a source by id, inactive and deleted ones included.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(db: &Connection, id: &str) -> Result<Option<SourceRecord>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM sources WHERE id = ?1")?
        .query_row([id], SourceRecord::read)
        .optional()?)
}

/// Finds the oldest source of that name and type that is not deleted.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find_named(
    db: &Connection,
    name: &str,
    source_type: &str,
) -> Result<Option<SourceRecord>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT * FROM sources WHERE name = ?1 AND source_type = ?2 AND NOT is_deleted
             ORDER BY created_at, rowid LIMIT 1",
        )?
        .query_row([name, source_type], SourceRecord::read)
        .optional()?)
}

/// Returns all sources, newest first.
///
/// # Errors
/// Fails when SQLite fails.
pub fn all(db: &Connection) -> Result<Vec<SourceRecord>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM sources ORDER BY created_at DESC, rowid DESC")?
        .query_map([], SourceRecord::read)?
        .collect::<Result<_, _>>()?)
}

/// Returns the active sources of a type that are not deleted, newest first.
///
/// # Errors
/// Fails when SQLite fails.
pub fn active_of_type(db: &Connection, source_type: &str) -> Result<Vec<SourceRecord>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT * FROM sources WHERE source_type = ?1 AND is_active AND NOT is_deleted
             ORDER BY created_at DESC, rowid DESC",
        )?
        .query_map([source_type], SourceRecord::read)?
        .collect::<Result<_, _>>()?)
}

/// Returns whether the source is deleted, or `None` for an unknown one. Reads only that column.
///
/// # Errors
/// Fails when SQLite fails.
pub fn is_deleted(db: &Connection, id: &str) -> Result<Option<bool>, StoreError> {
    Ok(db
        .prepare_cached("SELECT is_deleted FROM sources WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?)
}

/// Replaces the connector's stored state of a source. Ignores an unknown source.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put_connector_state(db: &Connection, id: &str, state: &Value) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE sources SET connector_state = ?2, updated_at = ?3 WHERE id = ?1")?
        .execute(params![id, Json(state), Micros::now()])?;
    Ok(())
}

/// Returns the ids of deleted sources without a running run.
///
/// # Errors
/// Fails when SQLite fails.
pub fn deleted_and_idle(db: &Connection) -> Result<Vec<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT id FROM sources WHERE is_deleted AND NOT EXISTS (
                SELECT 1 FROM sync_runs WHERE source_id = sources.id AND status = 'running')",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// Removes some documents of a source or, when none are left, the source and all its data. Returns
/// whether the source is gone.
///
/// # Errors
/// Fails when SQLite fails.
pub fn remove_some(db: &Connection, id: &str) -> Result<bool, StoreError> {
    if documents::delete_some(db, id, REMOVED_AT_ONCE)? > 0 {
        return Ok(false);
    }
    history::forget(db, id)?;
    for statement in [
        "DELETE FROM checkpoints WHERE owner = ?1 OR owner IN (SELECT id FROM sync_runs WHERE source_id = ?1)",
        "DELETE FROM refused_events WHERE sync_run_id IN (SELECT id FROM sync_runs WHERE source_id = ?1)",
        "DELETE FROM textless_files WHERE sync_run_id IN (SELECT id FROM sync_runs WHERE source_id = ?1)",
        "DELETE FROM sync_runs WHERE source_id = ?1",
        "DELETE FROM group_members WHERE source_id = ?1",
        "DELETE FROM groups WHERE source_id = ?1",
        "DELETE FROM people WHERE source_id = ?1",
        "DELETE FROM credentials WHERE source_id = ?1",
        "DELETE FROM sources WHERE id = ?1",
    ] {
        db.prepare_cached(statement)?.execute([id])?;
    }
    Ok(true)
}
