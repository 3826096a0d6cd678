//! The manager's persistent store: one SQLite file (WAL, FTS5), with one writer thread and one
//! reader thread. Code outside this folder must never run SQL that changes a table.
//!
//! The tables are described in `schema.sql`. Each module holds the statements of one topic as functions over a
//! connection, so that a caller composes several of them into one transaction:
//!
//! ```no_run
//! # async fn example() -> Result<(), omni_connector_dev::store::StoreError> {
//! use omni_connector_dev::store::{Store, documents};
//!
//! let store = Store::open("./.omni")?;
//! let documents = store.read(|db| documents::count(db, None)).await?;
//! # Ok(()) }
//! ```

pub mod apply;
pub mod bounds;
pub mod checkpoints;
pub mod column;
pub mod configs;
pub mod contents;
pub mod credentials;
pub mod documents;
mod error;
pub mod folder;
pub mod history;
pub mod operators;
pub mod people;
pub mod registrations;
pub mod reports;
pub mod requests;
pub mod review;
pub mod run_documents;
pub mod runs;
pub mod search;
pub mod sources;
pub mod text;
pub mod textless;
pub mod users;
mod words;
mod worker;

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

pub use error::StoreError;
use worker::Worker;

/// The version of `schema.sql`. Files of earlier versions are migrated step by step; all others are
/// refused.
const SCHEMA_VERSION: i32 = 5;

/// A handle to the store. Cheap to clone; dropping the last clone closes the file.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Worker,
    reader: Worker,
}

impl Store {
    /// Opens the store in `folder`. Creates both if missing.
    ///
    /// # Errors
    /// Fails when the folder cannot be created, or when the file is not a SQLite database or has
    /// another version.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        let folder = folder.as_ref();
        folder::prepare(folder).map_err(|error| StoreError::Folder {
            folder: folder.to_owned(),
            error,
        })?;
        let path = folder.join(folder::DATABASE);
        let mut writer = Connection::open(&path)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        // A page that many documents change is copied once instead of once a megabyte: 15 % of the writer's time.
        writer.pragma_update(None, "wal_autocheckpoint", 8_000)?;
        prepare(&writer)?;
        migrate(&mut writer)?;
        history::prepare(&writer)?;
        let reader = Connection::open_with_flags(
            &path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        prepare(&reader)?;
        Ok(Self {
            writer: Worker::start("store-writer", writer)?,
            reader: Worker::start("store-reader", reader)?,
        })
    }

    /// Returns whether `folder` holds a store.
    pub fn is_in(folder: impl AsRef<Path>) -> bool {
        folder.as_ref().join(folder::DATABASE).is_file()
    }

    /// Opens a store in memory, which is lost when dropped.
    ///
    /// # Errors
    /// Fails when SQLite cannot allocate memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        prepare(&connection)?;
        migrate(&mut connection)?;
        history::prepare(&connection)?;
        let worker = Worker::start("store", connection)?;
        Ok(Self {
            writer: worker.clone(),
            reader: worker,
        })
    }

    /// Runs `job` in one transaction. Commits if it returns `Ok`, else rolls back.
    ///
    /// # Errors
    /// Fails with the error of the job, or with [`StoreError::Closed`].
    pub async fn write<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.writer
            .run(|connection| {
                let transaction = connection
                    .transaction_with_behavior(TransactionBehavior::Immediate)
                    .map_err(StoreError::from)?;
                let value = job(&transaction)?;
                transaction.commit().map_err(StoreError::from)?;
                Ok(value)
            })
            .await
    }

    /// Runs `job` on a read connection that sees all earlier writes and never waits for writers.
    ///
    /// # Errors
    /// Fails with the error of the job, or with [`StoreError::Closed`].
    pub async fn read<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.reader.run(|connection| job(connection)).await
    }
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(128);
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    // The next sync restores whatever a machine crash loses.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -32_000)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    // If two processes open one store, the second sees the migrations of the first.
    let db = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        SCHEMA_VERSION => return Ok(()),
        0 => db.execute_batch(include_str!("schema.sql"))?,
        2..=4 => {
            if version == 2 {
                db.execute_batch(include_str!("from_2.sql"))?;
            }
            if version <= 3 {
                db.execute_batch(include_str!("from_3.sql"))?;
            }
            db.execute_batch(include_str!("from_4.sql"))?;
            let documents = documents::index_all(&db)?;
            tracing::info!(
                documents,
                "the search index of an earlier version was made anew"
            );
        }
        found => {
            return Err(StoreError::Version {
                found,
                expected: SCHEMA_VERSION,
            });
        }
    }
    db.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    db.commit()?;
    Ok(())
}
