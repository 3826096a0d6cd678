//! The documents that each run sent, and earlier versions of documents, so that people can compare.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{
    StoreError,
    column::{Json, Micros},
};

/// The number of latest runs of a source whose documents are known.
const RUNS: usize = 10;
/// The number of earlier versions that are kept of a document.
const VERSIONS: usize = 10;

/// A document of two runs that differs between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The connector's id of the document.
    pub document_id: String,
    /// Its part in the first run: `sent` or `deleted`; none if the run did not name it.
    pub here: Option<String>,
    /// Its part in the second run.
    pub there: Option<String>,
}

/// An earlier version of a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Version {
    /// Increases over all documents.
    pub id: i64,
    /// The run that replaced or deleted it.
    pub sync_run_id: String,
    /// When it was replaced or deleted.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
    /// The id of its text.
    pub content_id: String,
    /// Title, metadata, permissions and attributes.
    pub record: Value,
}

impl Version {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            sync_run_id: row.get("sync_run_id")?,
            until: row.get::<_, Micros>("until")?.0,
            content_id: row.get("content_id")?,
            record: row.get::<_, Json<_>>("record")?.0,
        })
    }
}

/// Returns a short hash of a document's parts, which differs when any of them differs.
pub(super) fn digest(parts: &[&str]) -> i64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let bytes = hash.finalize();
    bytes[..8]
        .iter()
        .fold(0, |all, byte| all << 8 | i64::from(*byte))
}

/// Notes that a run sent a document with this digest, or deleted it.
pub(super) fn note(
    db: &Connection,
    run_id: &str,
    document_id: &str,
    digest: Option<i64>,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO run_documents (sync_run_id, document_id, digest) VALUES (?1, ?2, ?3)
         ON CONFLICT (sync_run_id, document_id) DO UPDATE SET digest = ?3",
    )?
    .execute(params![run_id, document_id, digest])?;
    Ok(())
}

/// Forgets the documents of the runs before the latest ones of a source.
pub(super) fn forget_old(db: &Connection, source_id: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "DELETE FROM run_documents WHERE sync_run_id IN (
            SELECT id FROM sync_runs WHERE source_id = ?1 ORDER BY started_at DESC, rowid DESC LIMIT -1 OFFSET ?2)",
    )?
    .execute(params![source_id, RUNS])?;
    Ok(())
}

/// Keeps the stored version of a document that the run is about to replace or to delete.
pub(super) fn keep_version(
    db: &Connection,
    run_id: &str,
    source_id: &str,
    document_id: &str,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO document_versions (source_id, document_id, sync_run_id, until, content_id, record)
         SELECT source_id, document_id, ?3, ?4, content_id, json_object('title', title, 'metadata', json(metadata),
            'permissions', json(permissions), 'attributes', json(attributes))
         FROM documents WHERE source_id = ?1 AND document_id = ?2",
    )?
    .execute(params![source_id, document_id, run_id, Micros::now()])?;
    db.prepare_cached(
        "DELETE FROM document_versions WHERE id IN (
            SELECT id FROM document_versions WHERE source_id = ?1 AND document_id = ?2 ORDER BY id DESC LIMIT -1 OFFSET ?3)",
    )?
    .execute(params![source_id, document_id, VERSIONS])?;
    Ok(())
}

/// Returns the earlier versions of a document, newest first.
///
/// # Errors
/// Fails when SQLite fails.
pub fn versions(
    db: &Connection,
    source_id: &str,
    document_id: &str,
) -> Result<Vec<Version>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT * FROM document_versions WHERE source_id = ?1 AND document_id = ?2 ORDER BY id DESC",
        )?
        .query_map([source_id, document_id], Version::read)?
        .collect::<Result<_, _>>()?)
}

/// Returns whether the documents of a run are known.
///
/// # Errors
/// Fails when SQLite fails.
pub fn are_known(db: &Connection, run_id: &str) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached("SELECT 1 FROM run_documents WHERE sync_run_id = ?1")?
        .exists([run_id])?)
}

/// Returns the part of one document in a run: `sent` or `deleted`.
///
/// # Errors
/// Fails when SQLite fails.
pub fn part(
    db: &Connection,
    run_id: &str,
    document_id: &str,
) -> Result<Option<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT iif(digest IS NULL, 'deleted', 'sent') FROM run_documents WHERE sync_run_id = ?1 AND document_id = ?2",
        )?
        .query_row([run_id, document_id], |row| row.get(0))
        .optional()?)
}

/// Returns the latest runs that sent a document, the latest first.
///
/// # Errors
/// Fails when SQLite fails.
pub fn senders(
    db: &Connection,
    source_id: &str,
    document_id: &str,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT run.id FROM sync_runs run JOIN run_documents sent ON sent.sync_run_id = run.id
             WHERE run.source_id = ?1 AND sent.document_id = ?2 AND sent.digest IS NOT NULL
             ORDER BY run.started_at DESC, run.rowid DESC LIMIT ?3",
        )?
        .query_map(params![source_id, document_id, limit], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// Returns the documents that a run sent, each as its source and the connector's id.
///
/// # Errors
/// Fails when SQLite fails.
pub fn sent(db: &Connection, run_id: &str) -> Result<Vec<(String, String)>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT run.source_id, sent.document_id FROM run_documents sent JOIN sync_runs run ON run.id = sent.sync_run_id
             WHERE run.id = ?1 AND sent.digest IS NOT NULL ORDER BY sent.document_id",
        )?
        .query_map([run_id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?)
}

/// Compares the documents of two runs: how many are the same, how many differ, and the first that differ.
///
/// # Errors
/// Fails when SQLite fails.
pub fn compare(
    db: &Connection,
    here: &str,
    there: &str,
    limit: usize,
) -> Result<(u64, u64, Vec<Difference>), StoreError> {
    const BOTH: &str = "(SELECT * FROM run_documents WHERE sync_run_id = ?1) AS here
        FULL JOIN (SELECT * FROM run_documents WHERE sync_run_id = ?2) AS there USING (document_id)";
    const SAME: &str = "here.sync_run_id IS NOT NULL AND there.sync_run_id IS NOT NULL AND here.digest IS there.digest";
    let (same, all): (u64, u64) = db
        .prepare_cached(&format!(
            "SELECT count(*) FILTER (WHERE {SAME}), count(*) FROM {BOTH}"
        ))?
        .query_row([here, there], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let part = |run: &str| {
        format!(
            "CASE WHEN {run}.sync_run_id IS NULL THEN NULL WHEN {run}.digest IS NULL THEN 'deleted' ELSE 'sent' END"
        )
    };
    let parts = ["here", "there"].map(part).join(", ");
    let sql = format!(
        "SELECT document_id, {parts} FROM {BOTH} WHERE NOT ({SAME}) ORDER BY document_id LIMIT ?3"
    );
    let differences = db
        .prepare_cached(&sql)?
        .query_map(params![here, there, limit], |row| {
            Ok(Difference {
                document_id: row.get(0)?,
                here: row.get(1)?,
                there: row.get(2)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok((same, all - same, differences))
}

/// Forgets all of a source.
pub(super) fn forget(db: &Connection, source_id: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "DELETE FROM run_documents WHERE sync_run_id IN (SELECT id FROM sync_runs WHERE source_id = ?1)",
    )?
    .execute([source_id])?;
    db.prepare_cached("DELETE FROM document_versions WHERE source_id = ?1")?
        .execute([source_id])?;
    Ok(())
}
