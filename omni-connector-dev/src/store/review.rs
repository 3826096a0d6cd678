//! Queries for people only: members of a group, uses of an operator, statistics of all documents. They must never
//! change anything.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, named_params, params};
use serde::Serialize;

use super::{StoreError, documents::StoredDocument};

/// A group of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its address.
    pub email: String,
    /// Its display name.
    pub name: Option<String>,
    /// The number of members.
    pub members: u64,
}

/// Returns the groups of a source, by address.
///
/// # Errors
/// Fails when SQLite fails.
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

/// Returns the members of a group in any source; none if no source has sent the group.
///
/// # Errors
/// Fails when SQLite fails.
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

/// Returns the known addresses: people, members of groups, and users in permissions.
///
/// # Errors
/// Fails when SQLite fails.
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

/// The documents that an operator finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// The number of documents with a value.
    pub documents: u64,
    /// The most frequent values.
    pub values: Vec<Frequent>,
}

/// A frequent value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frequent {
    /// The value. A long one is cut, and ends with `…`.
    pub value: String,
    /// Whether the value was cut. A search for it finds nothing.
    pub is_cut: bool,
    /// The number of documents.
    pub times: u64,
}

/// Returns how the documents use an attribute. A list counts once for each of its values.
///
/// # Errors
/// Fails when SQLite fails.
pub fn usage(db: &Connection, attribute: &str) -> Result<Usage, StoreError> {
    let path = format!("$.{}", serde_json::Value::from(attribute));
    let documents = db
        .prepare_cached(
            "SELECT count(*) FROM documents WHERE json_type(attributes, ?1) NOT IN ('null')",
        )?
        .query_row([&path], |row| row.get(0))?;
    let values = db
        .prepare_cached(
            "SELECT substr(CAST(value AS TEXT), 1, 80) AS shown, length(CAST(value AS TEXT)) > 80 AS is_cut, count(*) AS times
             FROM documents, json_each(attributes, ?1)
             WHERE value IS NOT NULL GROUP BY shown, is_cut ORDER BY times DESC, shown LIMIT 5",
        )?
        .query_map([&path], |row| {
            let (mut value, is_cut): (String, bool) = (row.get(0)?, row.get(1)?);
            if is_cut {
                // The mark also tells the page where a secret may be cut.
                value.push('…');
            }
            Ok(Frequent {
                value,
                is_cut,
                times: row.get(2)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(Usage { documents, values })
}

/// Finds documents by Omni's id, the connector's id or the URL.
///
/// # Errors
/// Fails when SQLite fails.
pub fn named(db: &Connection, name: &str, limit: usize) -> Result<Vec<StoredDocument>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT * FROM documents WHERE id = ?1 OR document_id = ?1 OR metadata ->> 'url' = ?1 ORDER BY key LIMIT ?2",
        )?
        .query_map(params![name, limit], StoredDocument::read)?
        .collect::<Result<_, _>>()?)
}

/// Returns accepted events with this subject that could not be applied, with their runs.
///
/// # Errors
/// Fails when SQLite fails.
pub fn refused(db: &Connection, subject: &str) -> Result<Vec<(String, String)>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT sync_run_id, reason FROM refused_events WHERE subject = ?1 ORDER BY rowid DESC LIMIT 3",
        )?
        .query_map([subject], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?)
}

/// Statistics of a source's documents.
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

/// Counts the statistics of a source's documents.
///
/// # Errors
/// Fails when SQLite fails.
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

/// Returns the users and the groups in the permissions of a source's documents, with their numbers of documents.
///
/// # Errors
/// Fails when SQLite fails.
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

/// Finds a document that contains a secret. Returns its id and the part with the secret.
///
/// # Errors
/// Fails when SQLite fails.
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

/// Returns all strings in the stored credentials, which no answer to a person may contain.
///
/// # Errors
/// Fails when SQLite fails.
pub fn secrets(db: &Connection) -> Result<Vec<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT DISTINCT atom FROM credentials, json_tree(credentials) WHERE type = 'text' AND length(atom) >= 6",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// Returns the secrets of one source.
///
/// # Errors
/// Fails when SQLite fails.
pub fn secrets_of(db: &Connection, source_id: &str) -> Result<Vec<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT DISTINCT atom FROM credentials, json_tree(credentials)
             WHERE source_id = ?1 AND type = 'text' AND length(atom) >= 8",
        )?
        .query_map([source_id], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// Returns a value that changes when a run, its requests or a document change. It is cheap enough for
/// several calls per second.
///
/// # Errors
/// Fails when SQLite fails.
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
