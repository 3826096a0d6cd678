//! Stored credentials: at most one row of the organisation and one of each user per source (`protocol.md` §4.3).
//! Secrets are stored unencrypted; a development store is as private as its folder.

use omni_connector::{AuthType, ServiceCredential};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::{
    StoreError,
    column::{Json, Micros, Name, new_id},
};

/// Creates a credential of `source_id`. The organisation owns it when `user_id` is `None`.
pub fn new(
    source_id: impl Into<String>,
    user_id: Option<String>,
    provider: impl Into<String>,
    auth_type: AuthType,
    credentials: Value,
) -> ServiceCredential {
    let Micros(now) = Micros::now();
    let mut credential =
        ServiceCredential::new(new_id(), source_id, provider, auth_type, credentials, now);
    credential.user_id = user_id;
    credential
}

fn read(row: &Row<'_>) -> rusqlite::Result<ServiceCredential> {
    let time = |column| -> rusqlite::Result<_> {
        Ok(row
            .get::<_, Option<Micros>>(column)?
            .map(|Micros(time)| time))
    };
    let mut credential = ServiceCredential::new(
        row.get::<_, String>("id")?,
        row.get::<_, String>("source_id")?,
        row.get::<_, String>("provider")?,
        row.get::<_, Name<_>>("auth_type")?.0,
        row.get::<_, Json<_>>("credentials")?.0,
        row.get::<_, Micros>("created_at")?.0,
    );
    credential.user_id = row.get("user_id")?;
    credential.principal_email = row.get("principal_email")?;
    credential.config = row.get::<_, Json<_>>("config")?.0;
    credential.expires_at = time("expires_at")?;
    credential.last_validated_at = time("last_validated_at")?;
    credential.updated_at = row.get::<_, Micros>("updated_at")?.0;
    Ok(credential)
}

/// Stores a credential and replaces the one of the same source and owner.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put(db: &Connection, credential: &ServiceCredential) -> Result<(), StoreError> {
    db.prepare_cached(
        "DELETE FROM credentials WHERE id = ?1 OR (source_id = ?2 AND ifnull(user_id, '') = ifnull(?3, ''))",
    )?
    .execute(params![credential.id, credential.source_id, credential.user_id])?;
    db.prepare_cached(
        "INSERT INTO credentials (id, source_id, user_id, provider, auth_type, principal_email, credentials, config,
            expires_at, last_validated_at, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        credential.id,
        credential.source_id,
        credential.user_id,
        credential.provider,
        Name(credential.auth_type),
        credential.principal_email,
        Json(&credential.credentials),
        Json(&credential.config),
        credential.expires_at.map(Micros),
        credential.last_validated_at.map(Micros),
        Micros(credential.created_at),
        Micros(credential.updated_at),
    ])?;
    Ok(())
}

/// Replaces the secret and the times of a row after a token refresh, if the row still exists.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put_refreshed(db: &Connection, credential: &ServiceCredential) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE credentials SET credentials = ?2, expires_at = ?3, last_validated_at = ?4, updated_at = ?5 WHERE id = ?1",
    )?
    .execute(params![
        credential.id,
        Json(&credential.credentials),
        credential.expires_at.map(Micros),
        credential.last_validated_at.map(Micros),
        Micros::now(),
    ])?;
    Ok(())
}

/// Removes an owner's row; `None` is the organisation.
///
/// # Errors
/// Fails when SQLite fails.
pub fn remove(db: &Connection, source_id: &str, user_id: Option<&str>) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM credentials WHERE source_id = ?1 AND user_id IS ?2")?
        .execute(params![source_id, user_id])?;
    Ok(())
}

/// Finds an owner's row; `None` is the organisation.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(
    db: &Connection,
    source_id: &str,
    user_id: Option<&str>,
) -> Result<Option<ServiceCredential>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM credentials WHERE source_id = ?1 AND user_id IS ?2")?
        .query_row(params![source_id, user_id], read)
        .optional()?)
}

/// Finds a user's most recently updated `oauth` credential with `provider` on a source of one of
/// these types. Ignores deleted sources (`protocol.md` §3.3, catalog recovery).
///
/// # Errors
/// Fails when SQLite fails.
pub fn latest_of_a_user(
    db: &Connection,
    provider: &str,
    source_types: &[String],
) -> Result<Option<ServiceCredential>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT credentials.* FROM credentials JOIN sources ON sources.id = credentials.source_id
             WHERE credentials.user_id IS NOT NULL AND credentials.auth_type = 'oauth' AND credentials.provider = ?1
               AND NOT sources.is_deleted
               AND sources.source_type IN (SELECT value FROM json_each(?2))
             ORDER BY credentials.updated_at DESC, credentials.rowid DESC LIMIT 1",
        )?
        .query_row(params![provider, Json(source_types)], read)
        .optional()?)
}
