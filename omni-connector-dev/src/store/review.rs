//! Questions that only people ask of the store: who is in a group, what an operator finds, what all documents have in common.
//! Nothing here changes anything.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, named_params, params};
use serde::Serialize;

use super::{StoreError, documents::StoredDocument};

/// A group of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its address.
    pub email: String,
    /// What people call it.
    pub name: Option<String>,
    /// How many members it has.
    pub members: u64,
}

/// The groups of a source, by address.
///
/// # Errors
/// Those of SQLite.
pub fn groups(db: &Connection, source_id: &str, limit: usize) -> Result<Vec<Group>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT group_email, group_name, (SELECT count(*) FROM group_members AS members
                WHERE members.source_id = groups.source_id AND members.group_email = groups.group_email)
             FROM groups WHERE source_id = ?1 ORDER BY group_email LIMIT ?2",
        )?
        .query_map(params![source_id, limit], |row| {
            Ok(Group {
                email: row.get(0)?,
                name: row.get(1)?,
                members: row.get(2)?,
            })
        })?
        .collect::<Result<_, _>>()?)
}

/// The members of one group, of whatever source, and whether any source has sent the group.
///
/// # Errors
/// Those of SQLite.
pub fn members(db: &Connection, group: &str) -> Result<Option<Vec<String>>, StoreError> {
    let is_known = db
        .prepare_cached("SELECT 1 FROM groups WHERE group_email = ?1")?
        .exists([group])?;
    if !is_known {
        return Ok(None);
    }
    let members = db
        .prepare_cached(
            "SELECT DISTINCT member_email FROM group_members WHERE group_email = ?1 ORDER BY 1",
        )?
        .query_map([group], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(Some(members))
}

/// Addresses that the store knows: people, members of groups, and people that documents name.
///
/// # Errors
/// Those of SQLite.
pub fn addresses(db: &Connection, limit: usize) -> Result<Vec<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT email FROM people UNION SELECT member_email FROM group_members
             UNION SELECT * FROM (SELECT DISTINCT value FROM (SELECT permissions FROM documents LIMIT 2000),
                json_each(permissions, '$.users')) ORDER BY 1 LIMIT ?1",
        )?
        .query_map([limit], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// What an operator finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Documents that have a value.
    pub documents: u64,
    /// The most frequent values with their numbers.
    pub values: Vec<(String, u64)>,
}

/// How the documents use an attribute; lists count with each of their values.
///
/// # Errors
/// Those of SQLite.
pub fn usage(db: &Connection, attribute: &str) -> Result<Usage, StoreError> {
    let path = format!("$.{}", serde_json::Value::from(attribute));
    let documents = db
        .prepare_cached(
            "SELECT count(*) FROM documents WHERE json_type(attributes, ?1) NOT IN ('null')",
        )?
        .query_row([&path], |row| row.get(0))?;
    let values = db
        .prepare_cached(
            "SELECT substr(CAST(value AS TEXT), 1, 80) AS shown, count(*) AS times FROM documents, json_each(attributes, ?1)
             WHERE value IS NOT NULL GROUP BY shown ORDER BY times DESC, shown LIMIT 5",
        )?
        .query_map([&path], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(Usage { documents, values })
}

/// Finds documents by what a person may have of them: Omni's id, the connector's id or the address.
///
/// # Errors
/// Those of SQLite.
pub fn named(db: &Connection, name: &str, limit: usize) -> Result<Vec<StoredDocument>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT * FROM documents WHERE id = ?1 OR document_id = ?1 OR metadata ->> 'url' = ?1 ORDER BY key LIMIT ?2",
        )?
        .query_map(params![name, limit], StoredDocument::read)?
        .collect::<Result<_, _>>()?)
}

/// Events that were accepted and not applied, by their subject, with the run.
///
/// # Errors
/// Those of SQLite.
pub fn refused(db: &Connection, subject: &str) -> Result<Vec<(String, String)>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT sync_run_id, reason FROM refused_events WHERE subject = ?1 ORDER BY rowid DESC LIMIT 3",
        )?
        .query_map([subject], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?)
}

/// What the documents of a source have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "each field counts what its name says")]
pub struct Census {
    pub documents: u64,
    pub public: u64,
    pub unreadable: u64,
    pub untitled: u64,
    pub empty_texts: u64,
    pub texts_with_markup: u64,
    pub distinct_texts: u64,
    pub distinct_times: u64,
    pub timed: u64,
    pub in_the_future: u64,
    pub same_but_for_case: u64,
}

/// Counts what the documents of a source have in common.
///
/// # Errors
/// Those of SQLite.
pub fn census(db: &Connection, source_id: &str, now: &str) -> Result<Census, StoreError> {
    let read = |row: &Row<'_>| {
        Ok(Census {
            documents: row.get(0)?,
            public: row.get(1)?,
            unreadable: row.get(2)?,
            untitled: row.get(3)?,
            empty_texts: row.get(4)?,
            texts_with_markup: row.get(5)?,
            distinct_texts: row.get(6)?,
            distinct_times: row.get(7)?,
            timed: row.get(8)?,
            in_the_future: row.get(9)?,
            same_but_for_case: row.get(10)?,
        })
    };
    Ok(db
        .prepare_cached(
            "SELECT count(*),
                count(*) FILTER (WHERE permissions ->> 'public' = 1),
                count(*) FILTER (WHERE permissions IS NULL OR (ifnull(permissions ->> 'public', 0) = 0
                    AND ifnull(json_array_length(permissions, '$.users'), 0) = 0
                    AND ifnull(json_array_length(permissions, '$.groups'), 0) = 0)),
                count(*) FILTER (WHERE trim(title) IN ('', 'Untitled')),
                count(*) FILTER (WHERE trim(substr(body, 1, 200)) = ''),
                count(*) FILTER (WHERE substr(body, 1, 400) LIKE '%</%>%' OR substr(body, 1, 400) LIKE '%<div%'),
                count(DISTINCT content_id),
                count(DISTINCT metadata ->> 'updated_at'),
                count(metadata ->> 'updated_at'),
                count(*) FILTER (WHERE metadata ->> 'updated_at' > :now),
                count(*) - count(DISTINCT lower(document_id))
             FROM documents CROSS JOIN contents ON contents.id = documents.content_id WHERE source_id = :source",
        )?
        .query_row(named_params! { ":source": source_id, ":now": now }, read)?)
}

/// Who is named in the permissions of a source's documents, with the number of documents: users, and groups.
///
/// # Errors
/// Those of SQLite.
pub fn principals(
    db: &Connection,
    source_id: &str,
) -> Result<[BTreeMap<String, u64>; 2], StoreError> {
    let of = |list: &str| -> Result<BTreeMap<String, u64>, StoreError> {
        Ok(db
            .prepare_cached(
                "SELECT CAST(value AS TEXT), count(*) FROM documents, json_each(permissions, ?2)
                 WHERE source_id = ?1 GROUP BY 1 LIMIT 10000",
            )?
            .query_map([source_id, list], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?)
    };
    Ok([of("$.users")?, of("$.groups")?])
}

/// A document in which a secret stands, if there is one: its id and the part of it.
///
/// # Errors
/// Those of SQLite.
pub fn leak(
    db: &Connection,
    source_id: &str,
    secret: &str,
) -> Result<Option<(String, String)>, StoreError> {
    use rusqlite::OptionalExtension;

    Ok(db
        .prepare_cached(
            "SELECT document_id, CASE WHEN instr(title, ?2) THEN 'title' WHEN instr(attributes, ?2) THEN 'attributes'
                WHEN instr(metadata, ?2) THEN 'metadata' ELSE 'text' END
             FROM documents CROSS JOIN contents ON contents.id = documents.content_id
             WHERE source_id = ?1 AND (instr(title, ?2) OR instr(attributes, ?2) OR instr(metadata, ?2) OR instr(body, ?2))
             LIMIT 1",
        )?
        .query_row([source_id, secret], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// All texts within the stored credentials, which no answer to a person may hold.
///
/// # Errors
/// Those of SQLite.
pub fn secrets(db: &Connection) -> Result<Vec<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT DISTINCT atom FROM credentials, json_tree(credentials) WHERE type = 'text' AND length(atom) >= 6",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// The secrets of one source.
///
/// # Errors
/// Those of SQLite.
pub fn secrets_of(db: &Connection, source_id: &str) -> Result<Vec<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT DISTINCT atom FROM credentials, json_tree(credentials)
             WHERE source_id = ?1 AND type = 'text' AND length(atom) >= 8",
        )?
        .query_map([source_id], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// A text that changes when a run, its requests or a document do, cheap enough to ask for several times a second.
///
/// # Errors
/// Those of SQLite.
pub fn pulse(db: &Connection) -> Result<String, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) || '.' || ifnull(max(updated_at), 0) || '.' || ifnull(max(last_activity_at), 0) ||
                '.' || ifnull(sum(documents_scanned + documents_processed), 0) || '.' ||
                ifnull((SELECT began_ms || '.' || (sums ->> 'calls') FROM request_sums ORDER BY began_ms DESC LIMIT 1), '')
             FROM sync_runs",
        )?
        .query_row([], |row| row.get(0))?)
}
