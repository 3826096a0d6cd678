//! Errors of the store. They must never hold a value of a row.

use std::path::PathBuf;

/// Why a store operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder of the store cannot be created.
    #[error("the folder `{}` cannot be made: {error}", folder.display())]
    Folder {
        /// The folder's path.
        folder: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// The file was written by another version of the manager.
    #[error(
        "the store has version {found}, this manager reads version {expected}; {}",
        if found > expected { "install the newer `cargo omni` that wrote it" } else { "remove its folder and sync again" }
    )]
    Version {
        /// The file's version.
        found: i32,
        /// The version of this manager.
        expected: i32,
    },
    /// SQLite failed.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The store's thread did not start.
    #[error("the store's thread did not start: {0}")]
    Thread(std::io::Error),
    /// The store was closed, or the job panicked.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Returns whether a unique index refused a row.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(
            self,
            Self::Sqlite(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == rusqlite::ErrorCode::ConstraintViolation
        )
    }
}
