//! Users of Omni: they create sources and call actions.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::{
    StoreError,
    column::{Micros, Name, new_id},
};

/// The role of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserRole {
    /// Also what is `admin_only`
    Admin,
    /// Everything else
    User,
}

/// A user of Omni.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The manager's id.
    pub id: String,
    /// The e-mail address, as given.
    pub email: String,
    /// The user's role.
    pub role: UserRole,
}

impl User {
    /// Creates a user.
    pub fn new(email: impl Into<String>, role: UserRole) -> Self {
        Self {
            id: new_id(),
            email: email.into(),
            role,
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            email: row.get("email")?,
            role: row.get::<_, Name<_>>("role")?.0,
        })
    }
}

/// Stores a user and replaces the one with the same id.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put(db: &Connection, user: &User) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO users (id, email, role, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET email = ?2, role = ?3",
    )?
    .execute(params![user.id, user.email, Name(user.role), Micros::now()])?;
    Ok(())
}

/// Finds a user by id.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(db: &Connection, id: &str) -> Result<Option<User>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM users WHERE id = ?1")?
        .query_row([id], User::read)
        .optional()?)
}

/// Finds a user by e-mail address, ignoring case.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find_by_email(db: &Connection, email: &str) -> Result<Option<User>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM users WHERE lower(email) = lower(?1) ORDER BY created_at")?
        .query_row([email.trim()], User::read)
        .optional()?)
}
