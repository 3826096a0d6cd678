//! Stored texts, addressed by content: the same normalised text has one id (`protocol.md` §3.5).

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use time::Duration;

use super::{
    StoreError,
    column::{Micros, new_id},
    runs,
};

/// Stores a normalised text, counts it for `run_id`, and returns its id.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put(db: &Connection, run_id: &str, normalised: &str) -> Result<String, StoreError> {
    let digest = Sha256::digest(normalised);
    let digest = digest.as_slice();
    let now = Micros::now();
    let known: Option<(String, Micros)> = db
        .prepare_cached("SELECT id, issued_at FROM contents WHERE sha256 = ?1")?
        .query_row([digest], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((id, Micros(issued_at))) = known {
        // SQLite rewrites the whole row, so the time is updated at most once a minute.
        if now.0 - issued_at > Duration::MINUTE {
            db.prepare_cached("UPDATE contents SET issued_at = ?2 WHERE id = ?1")?
                .execute(params![id, now])?;
        }
        return Ok(id);
    }
    let id = new_id();
    db.prepare_cached(
        "INSERT INTO contents (id, sha256, body, issued_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![id, digest, normalised, now])?;
    runs::count_content(db, run_id, normalised.len())?;
    Ok(id)
}

/// Finds a text by id.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(db: &Connection, id: &str) -> Result<Option<String>, StoreError> {
    Ok(db
        .prepare_cached("SELECT body FROM contents WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?)
}

/// Returns whether a text with that id exists.
///
/// # Errors
/// Fails when SQLite fails.
pub fn exists(db: &Connection, id: &str) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached("SELECT 1 FROM contents WHERE id = ?1")?
        .exists([id])?)
}

/// Removes texts that no document refers to and whose id was not returned within `retention`.
///
/// # Errors
/// Fails when SQLite fails.
pub fn remove_unused(db: &Connection, retention: Duration) -> Result<usize, StoreError> {
    Ok(db
        .prepare_cached(
            "DELETE FROM contents WHERE issued_at < ?1
             AND NOT EXISTS (SELECT 1 FROM documents WHERE documents.content_id = contents.id)",
        )?
        .execute([Micros(Micros::now().0.saturating_sub(retention))])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn a_text_is_kept_while_a_document_refers_to_it_or_its_id_is_fresh() {
        let store = Store::in_memory().unwrap();
        let left = store
            .write(|db| {
                let used = put(db, "", "used")?;
                let unused = put(db, "", "unused")?;
                db.execute("UPDATE contents SET issued_at = 0", [])?;
                let again = put(db, "", "asked for again")?;
                db.execute(
                    "INSERT INTO documents (id, source_id, document_id, content_id, title, metadata, attributes, created_at,
                        updated_at) VALUES ('1', 's', 'd', ?1, 'T', '{}', '{}', 0, 0)",
                    [&used],
                )?;
                assert_eq!(remove_unused(db, Duration::DAY)?, 1);
                let left = [used, unused, again].map(|id| exists(db, &id));
                left.into_iter().collect::<Result<Vec<_>, _>>()
            })
            .await
            .unwrap();
        assert_eq!(left, [true, false, true]);
    }

    #[tokio::test]
    async fn returning_an_old_id_again_makes_it_fresh() {
        let store = Store::in_memory().unwrap();
        let removed = store
            .write(|db| {
                let id = put(db, "", "text")?;
                db.execute("UPDATE contents SET issued_at = 0", [])?;
                assert_eq!(put(db, "", "text")?, id);
                remove_unused(db, Duration::DAY)
            })
            .await
            .unwrap();
        assert_eq!(removed, 0);
    }
}
