//! Stored registrations, so that a restarted manager knows the live connectors.

use std::time::Duration;

use omni_connector::Manifest;
use rusqlite::{Connection, params};

use super::{
    StoreError,
    column::{Json, Micros},
};

/// Stores a manifest for `life` and replaces the one of the same connector id.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put(db: &Connection, manifest: &Manifest, life: Duration) -> Result<(), StoreError> {
    let expires_at = Micros::now().0 + life;
    db.prepare_cached(
        "INSERT INTO registrations (connector_id, manifest, expires_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (connector_id) DO UPDATE SET manifest = ?2, expires_at = ?3",
    )?
    .execute(params![
        manifest.connector_id,
        Json(manifest),
        Micros(expires_at)
    ])?;
    Ok(())
}

/// Returns live manifests in the order of their first registration, each with its remaining
/// lifetime. Removes expired ones.
///
/// # Errors
/// Fails when SQLite fails.
pub fn take_live(db: &Connection) -> Result<Vec<(Manifest, Duration)>, StoreError> {
    let now = Micros::now();
    db.prepare_cached("DELETE FROM registrations WHERE expires_at <= ?1")?
        .execute([now])?;
    Ok(db
        .prepare_cached("SELECT manifest, expires_at FROM registrations ORDER BY rowid")?
        .query_map([], |row| {
            let rest = row.get::<_, Micros>(1)?.0 - now.0;
            Ok((
                row.get::<_, Json<_>>(0)?.0,
                rest.try_into().unwrap_or_default(),
            ))
        })?
        .collect::<Result<_, _>>()?)
}
