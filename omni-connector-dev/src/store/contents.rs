//! Stored texts, addressed by what they say: the same normalised text has one id (`protocol.md` §3.5).

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use time::Duration;

use super::{
    StoreError,
    column::{Micros, new_id},
    runs,
};

/// Stores a text that was normalised before, for the statistics of `run_id`, and gives its id.
///
/// # Errors
/// Those of SQLite.
pub fn put(db: &Connection, run_id: &str, normalised: &str) -> Result<String, StoreError> {
    let digest = Sha256::digest(normalised);
    let digest = digest.as_slice();
    let known: Option<String> = db
        .prepare_cached("UPDATE contents SET issued_at = ?2 WHERE sha256 = ?1 RETURNING id")?
        .query_row(params![digest, Micros::now()], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    let id = new_id();
    db.prepare_cached(
        "INSERT INTO contents (id, sha256, body, issued_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![id, digest, normalised, Micros::now()])?;
    runs::count_content(db, run_id, normalised.len())?;
    Ok(id)
}

/// The text of that id.
///
/// # Errors
/// Those of SQLite.
pub fn find(db: &Connection, id: &str) -> Result<Option<String>, StoreError> {
    Ok(db
        .prepare_cached("SELECT body FROM contents WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?)
}

/// Whether there is a text of that id.
///
/// # Errors
/// Those of SQLite.
pub fn exists(db: &Connection, id: &str) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached("SELECT 1 FROM contents WHERE id = ?1")?
        .exists([id])?)
}

/// Removes texts that no document refers to and whose id was not handed out within `retention`.
///
/// # Errors
/// Those of SQLite.
pub fn remove_unused(db: &Connection, retention: Duration) -> Result<usize, StoreError> {
    Ok(db
        .prepare_cached(
            "DELETE FROM contents WHERE issued_at < ?1
             AND NOT EXISTS (SELECT 1 FROM documents WHERE documents.content_id = contents.id)",
        )?
        .execute([Micros(Micros::now().0.saturating_sub(retention))])?)
}
