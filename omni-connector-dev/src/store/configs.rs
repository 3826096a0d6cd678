//! The admin-managed settings of a provider, such as OAuth client settings (`protocol.md` §3.7).

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::{StoreError, column::Json};

/// Stores a provider's settings and replaces the previous ones.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put(db: &Connection, provider: &str, config: &Value) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO connector_configs (provider, config) VALUES (?1, ?2)
         ON CONFLICT (provider) DO UPDATE SET config = ?2",
    )?
    .execute(params![provider, Json(config)])?;
    Ok(())
}

/// Returns a provider's settings.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(db: &Connection, provider: &str) -> Result<Option<Value>, StoreError> {
    Ok(db
        .prepare_cached("SELECT config FROM connector_configs WHERE provider = ?1")?
        .query_row([provider], |row| row.get::<_, Json<Value>>(0))
        .optional()?
        .map(|Json(config)| config))
}
