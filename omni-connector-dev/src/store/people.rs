//! Groups and people, as the indexer keeps them for permissions and the directory (`protocol.md` §4.7, §4.8).

use std::collections::BTreeSet;

use omni_connector::PersonSyncRecord;
use rusqlite::{Connection, OptionalExtension, params};

use super::{StoreError, column::Json};

/// Returns the identity of a person or group: the e-mail address, trimmed and in lower case.
pub fn identity(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Replaces the members of a group.
pub(super) fn put_group(
    db: &Connection,
    source_id: &str,
    group_email: &str,
    group_name: Option<&str>,
    member_emails: &[String],
) -> Result<(), StoreError> {
    let group = identity(group_email);
    db.prepare_cached(
        "INSERT INTO groups (source_id, group_email, group_name) VALUES (?1, ?2, ?3)
         ON CONFLICT (source_id, group_email) DO UPDATE SET group_name = ?3",
    )?
    .execute(params![source_id, group, group_name])?;
    db.prepare_cached("DELETE FROM group_members WHERE source_id = ?1 AND group_email = ?2")?
        .execute(params![source_id, group])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO group_members (source_id, group_email, member_email) VALUES (?1, ?2, ?3)",
    )?;
    for member in member_emails
        .iter()
        .map(|member| identity(member))
        .collect::<BTreeSet<_>>()
    {
        insert.execute(params![source_id, group, member])?;
    }
    Ok(())
}

/// Stores a person and replaces the one with the same address.
pub(super) fn put_person(
    db: &Connection,
    source_id: &str,
    person: &PersonSyncRecord,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO people (source_id, email, external_id, is_active, record) VALUES (?1, ?2, ?3, ifnull(?4, 1), ?5)
         ON CONFLICT (source_id, email) DO UPDATE SET external_id = ?3, is_active = ifnull(?4, is_active), record = ?5",
    )?
    .execute(params![
        source_id,
        identity(&person.email),
        person.external_id,
        person.is_active,
        Json(person)
    ])?;
    Ok(())
}

/// Removes a person.
pub(super) fn delete_person(
    db: &Connection,
    source_id: &str,
    email: &str,
) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM people WHERE source_id = ?1 AND email = ?2")?
        .execute(params![source_id, identity(email)])?;
    Ok(())
}

/// Finds a person of a source, and whether the person is still employed there.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find_person(
    db: &Connection,
    source_id: &str,
    email: &str,
) -> Result<Option<(PersonSyncRecord, bool)>, StoreError> {
    Ok(db
        .prepare_cached("SELECT record, is_active FROM people WHERE source_id = ?1 AND email = ?2")?
        .query_row(params![source_id, identity(email)], |row| {
            Ok((row.get::<_, Json<_>>(0)?.0, row.get(1)?))
        })
        .optional()?)
}

/// Returns the people of a source, by address.
///
/// # Errors
/// Fails when SQLite fails.
pub fn of_source(
    db: &Connection,
    source_id: &str,
    limit: usize,
) -> Result<Vec<PersonSyncRecord>, StoreError> {
    Ok(db
        .prepare_cached("SELECT record FROM people WHERE source_id = ?1 ORDER BY email LIMIT ?2")?
        .query_map(params![source_id, limit], |row| {
            Ok(row.get::<_, Json<_>>(0)?.0)
        })?
        .collect::<Result<_, _>>()?)
}

/// Returns the addresses of the groups, of any source, that a person belongs to.
///
/// # Errors
/// Fails when SQLite fails.
pub fn groups_of(db: &Connection, email: &str) -> Result<Vec<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT DISTINCT group_email FROM group_members WHERE member_email = ?1 ORDER BY 1",
        )?
        .query_map([identity(email)], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// Returns the addresses of the members of a source's group.
///
/// # Errors
/// Fails when SQLite fails.
pub fn members_of(
    db: &Connection,
    source_id: &str,
    group_email: &str,
) -> Result<Vec<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT member_email FROM group_members WHERE source_id = ?1 AND group_email = ?2 ORDER BY 1",
        )?
        .query_map(params![source_id, identity(group_email)], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// Returns why the indexer would refuse a person, or `None`.
pub(super) fn fault(person: &PersonSyncRecord) -> Option<&'static str> {
    let email = identity(&person.email);
    let has_address = email.split_once('@').is_some_and(|(local, domain)| {
        let mut labels = domain.split('.');
        !local.is_empty() && labels.clone().count() > 1 && labels.all(|label| !label.is_empty())
    });
    if person.external_id.is_empty() || person.external_id.trim() != person.external_id {
        Some("`external_id` must not be empty or surrounded by blanks")
    } else if !has_address {
        Some("`email` needs a local part and a domain with a dot")
    } else if person.manager_external_id.as_ref() == Some(&person.external_id) {
        Some("`manager_external_id` names the person")
    } else {
        None
    }
}
