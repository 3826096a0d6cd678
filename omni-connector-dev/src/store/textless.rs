//! Files that became documents without text. Omni does not report them; a developer should see
//! them.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::StoreError;

/// Files of a run whose text could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Textless {
    /// How many
    pub total: u64,
    /// The first of them
    pub files: Vec<TextlessFile>,
}

/// A file whose text could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextlessFile {
    /// Its name, else its type
    pub name: String,
    /// Why
    pub reason: String,
}

/// Records a file whose text could not be read.
///
/// # Errors
/// Fails when SQLite fails.
pub fn note(db: &Connection, id: &str, file: &TextlessFile) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO textless_files (sync_run_id, name, reason) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![id, file.name, file.reason])?;
    Ok(())
}

/// Returns the files of a run whose text could not be read: the first `limit` by name.
///
/// # Errors
/// Fails when SQLite fails.
pub fn of_run(db: &Connection, id: &str, limit: usize) -> Result<Textless, StoreError> {
    let total = db
        .prepare_cached("SELECT count(*) FROM textless_files WHERE sync_run_id = ?1")?
        .query_row([id], |row| row.get(0))?;
    let files = db
        .prepare_cached(
            "SELECT name, reason FROM textless_files WHERE sync_run_id = ?1 ORDER BY rowid LIMIT ?2",
        )?
        .query_map(params![id, limit], |row| {
            Ok(TextlessFile {
                name: row.get(0)?,
                reason: row.get(1)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(Textless { total, files })
}
