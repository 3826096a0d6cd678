//! Applies accepted events to the store as Omni's indexer does, at once and in order (`protocol.md`
//! §4.7). An event that the indexer would dead-letter is recorded with its reason and must never
//! stop the others.

use omni_connector::ConnectorEvent;
use rusqlite::{Connection, params};

use super::{
    StoreError, contents,
    documents::{self, Upsert, Upserted},
    people,
    runs::{self, RunEffects},
};

/// Longest document id in Omni's table of documents, in characters.
const LONGEST_DOCUMENT_ID: usize = 500;

/// Applies the events of one run in order and counts their effects.
///
/// # Errors
/// Fails when SQLite fails.
pub fn apply(
    db: &Connection,
    run_id: &str,
    source_id: &str,
    events: &[ConnectorEvent],
) -> Result<RunEffects, StoreError> {
    let mut effects = RunEffects::default();
    for event in events {
        if let Some(reason) = apply_one(db, (run_id, source_id), event, &mut effects)? {
            effects.refused += 1;
            db.prepare_cached(
                "INSERT INTO refused_events (sync_run_id, subject, reason) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![run_id, event.subject(), reason])?;
        }
    }
    runs::count_effects(db, run_id, &effects)?;
    Ok(effects)
}

/// Applies one event. Returns the reason if the indexer would refuse it.
fn apply_one(
    db: &Connection,
    (run_id, source_id): (&str, &str),
    event: &ConnectorEvent,
    effects: &mut RunEffects,
) -> Result<Option<String>, StoreError> {
    match event {
        ConnectorEvent::DocumentCreated {
            document_id,
            content_id,
            metadata,
            permissions,
            attributes,
            ..
        } => upsert(
            db,
            &Upsert {
                run_id,
                source_id,
                document_id,
                content_id,
                metadata,
                permissions: Some(permissions),
                attributes: attributes.as_ref(),
            },
            effects,
        ),
        ConnectorEvent::DocumentUpdated {
            document_id,
            content_id,
            metadata,
            permissions,
            attributes,
            ..
        } => upsert(
            db,
            &Upsert {
                run_id,
                source_id,
                document_id,
                content_id,
                metadata,
                permissions: permissions.as_ref(),
                attributes: attributes.as_ref(),
            },
            effects,
        ),
        ConnectorEvent::DocumentDeleted { document_id, .. } => {
            effects.deleted += u64::from(documents::delete(db, run_id, source_id, document_id)?);
            Ok(None)
        }
        ConnectorEvent::GroupMembershipSync {
            group_email,
            group_name,
            member_emails,
            ..
        } => {
            people::put_group(
                db,
                source_id,
                group_email,
                group_name.as_deref(),
                member_emails,
            )?;
            Ok(None)
        }
        ConnectorEvent::PersonSync { person, .. } => {
            let fault = people::fault(person);
            if fault.is_none() {
                people::put_person(db, source_id, person)?;
            }
            Ok(fault.map(str::to_owned))
        }
        ConnectorEvent::PersonDeleted { email, .. } => {
            people::delete_person(db, source_id, email)?;
            Ok(None)
        }
        _ => Ok(Some(
            "this manager does not know the type of this event".to_owned(),
        )),
    }
}

fn upsert(
    db: &Connection,
    upsert: &Upsert<'_>,
    effects: &mut RunEffects,
) -> Result<Option<String>, StoreError> {
    if upsert.document_id.chars().count() > LONGEST_DOCUMENT_ID {
        return Ok(Some(format!(
            "`document_id` is longer than {LONGEST_DOCUMENT_ID} characters"
        )));
    }
    if !contents::exists(db, upsert.content_id)? {
        return Ok(Some(format!(
            "`content_id` `{}` was not issued by the manager",
            upsert.content_id
        )));
    }
    match documents::upsert(db, upsert)? {
        Upserted::Created => effects.created += 1,
        Upserted::Updated => effects.updated += 1,
        Upserted::Unchanged => effects.unchanged += 1,
    }
    Ok(None)
}
