//! The client of Prototype: what the connector asks of it. It is the only file that knows that Prototype is a database. For another
//! driver, or the library of another system, the same functions call that.

use std::path::{Path, PathBuf};

use omni_connector::prelude::*;
use rusqlite::{Connection, OpenFlags, Row, named_params};
use tokio::task::spawn_blocking;

use crate::Issue;

/// How many rows are read at a time.
const ROWS: u32 = 200;

/// The id of a row, with what is in it. A row that cannot be read costs no other.
type Found = (String, rusqlite::Result<Issue>);

/// The database of one source.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    database: PathBuf,
}

impl Client {
    pub(crate) fn at(database: &Path) -> Self {
        Self {
            database: database.to_owned(),
        }
    }

    /// Works with a connection on a thread that may wait.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = self.database.clone();
        spawn_blocking(move || {
            // A database that is gone is an error: no empty one is made in its place.
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let failed = || format!("the database `{}` cannot be used", database.display());
            let connection = Connection::open_with_flags(&database, flags).with_context(failed)?;
            work(&connection).with_context(failed)
        })
        .await?
    }

    //> incremental=none
    /// Reads the issues that follow an id, in the order of ids. There are none after the last one.
    pub(crate) async fn issues(&self, after: Option<&str>) -> Result<Vec<Found>> {
        let after = after.map(str::to_owned);
        self.with(move |database| {
            let mut rows = database.prepare(
                "SELECT *, unixepoch(updated_at) AS changed FROM issues
                 WHERE :after IS NULL OR id > :after ORDER BY id LIMIT :rows",
            )?;
            let issues = rows.query_map(named_params! { ":after": after, ":rows": ROWS }, found)?;
            issues.collect()
        })
        .await
    }

    //<
    //> incremental=time
    /// Reads the issues that follow an id, in the order of ids: those that were changed at or after a time, or all. There are none
    /// after the last one.
    pub(crate) async fn issues_since(
        &self,
        since: Option<OffsetDateTime>,
        after: Option<&str>,
    ) -> Result<Vec<Found>> {
        let (since, after) = (
            since.map(OffsetDateTime::unix_timestamp),
            after.map(str::to_owned),
        );
        self.with(move |database| {
            let mut rows = database.prepare(
                "SELECT *, unixepoch(updated_at) AS changed FROM issues
                 WHERE (:after IS NULL OR id > :after)
                 AND (:since IS NULL OR unixepoch(updated_at) >= :since)
                 ORDER BY id LIMIT :rows",
            )?;
            let parameters = named_params! { ":after": after, ":since": since, ":rows": ROWS };
            let issues = rows.query_map(parameters, found)?;
            issues.collect()
        })
        .await
    }

    //<
    /// Adds an issue, with an id that nothing has.
    pub(crate) async fn create_issue(&self, new: Issue) -> Result<Issue> {
        self.with(move |database| {
            //> access=groups|public
            let added = database.prepare(
                "INSERT INTO issues (id, title, text, status, updated_at)
                 VALUES (lower(hex(randomblob(8))), :title, :text, :status, strftime('%Y-%m-%dT%H:%M:%SZ'))
                 RETURNING *, unixepoch(updated_at) AS changed",
            );
            let parameters = named_params! {
                ":title": new.title,
                ":text": new.text,
                ":status": new.status,
            };
            //<
            //> access=item
            let added = database.prepare(
                "INSERT INTO issues (id, title, text, status, updated_at, readers)
                 VALUES (lower(hex(randomblob(8))), :title, :text, :status, strftime('%Y-%m-%dT%H:%M:%SZ'), :readers)
                 RETURNING *, unixepoch(updated_at) AS changed",
            );
            let readers = new.readers.as_ref().map(|readers| readers.join(","));
            let parameters = named_params! {
                ":title": new.title,
                ":text": new.text,
                ":status": new.status,
                ":readers": readers,
            };
            //<
            added?.query_row(parameters, issue)
        })
        .await
    }
    //> access=groups

    /// Sends the teams that may read issues, with their members.
    pub(crate) async fn send_teams(&self, ctx: &SyncContext) -> Result<()> {
        let teams: Vec<(String, Option<String>)> = self
            .with(|database| {
                let mut rows =
                    database.prepare("SELECT email, members FROM teams ORDER BY email")?;
                let teams = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                teams.collect()
            })
            .await?;
        for (email, members) in teams {
            let members = members.as_deref().map(addresses);
            let members = members.context("Prototype does not show its members");
            ctx.members(email, members).await?;
        }
        Ok(())
    }
    //<
}

fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    Ok((row.get("id")?, issue(row)))
}

/// Reads a row.
fn issue(row: &Row<'_>) -> rusqlite::Result<Issue> {
    let changed: Option<i64> = row.get("changed")?;
    //> access=item
    let readers: Option<String> = row.get("readers")?;
    //<
    Ok(Issue {
        id: row.get("id")?,
        title: row.get("title")?,
        text: row.get("text")?,
        url: row.get("url")?,
        status: row.get("status")?,
        updated_at: changed
            .and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok())
            .map(Timestamp),
        //> access=groups
        team: row.get("team")?,
        //<
        //> access=item
        readers: readers.as_deref().map(addresses),
        //<
    })
}
//> access=item|groups

/// The addresses in a column, which commas separate.
fn addresses(column: &str) -> Vec<String> {
    let addresses = column.split(',').filter(|address| !address.is_empty());
    addresses.map(str::to_owned).collect()
}
//<
