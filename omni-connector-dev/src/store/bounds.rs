//! Runs for a trial, which a person bounded: to the first documents, or to one item. Such a run must never publish a checkpoint
//! once something of it was left out.

use omni_connector::ConnectorEvent;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use super::StoreError;

/// The bound of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// This number of documents is taken; the others are not stored.
    pub first: Option<u64>,
    /// Only the document of this item is taken.
    pub item: Option<String>,
    /// The run whose failure is tried again.
    pub tried_run: Option<String>,
    /// Whether everything that the bound admits has come.
    pub is_reached: bool,
}

impl Bound {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            first: row.get("first")?,
            item: row.get("item")?,
            tried_run: row.get("tried_run")?,
            is_reached: row.get("is_reached")?,
        })
    }

    /// Returns the message of a run that ended because of its bound.
    pub fn message(&self) -> String {
        match (&self.item, self.first) {
            (Some(item), _) => {
                format!("Ended: only `{item}` was tried, and nothing else was taken")
            }
            (None, Some(1)) => "Ended: only the first document was asked for".to_owned(),
            (None, Some(first)) => {
                format!("Ended: only the first {first} documents were asked for")
            }
            (None, None) => "Ended".to_owned(),
        }
    }

    /// Returns whether the run may publish its checkpoint when it completes.
    pub fn may_complete(&self) -> bool {
        self.item.is_none() && !self.is_reached
    }

    /// Removes the documents that the bound leaves out, and notes whether it is reached. `so_far` documents came before. Groups
    /// and people are always taken.
    pub fn admit(&mut self, events: &mut Vec<ConnectorEvent>, so_far: u64) {
        let mut documents = so_far;
        let (item, first) = (self.item.clone(), self.first);
        let mut is_reached = self.is_reached;
        events.retain(|event| {
            let (id, is_delete) = match event {
                ConnectorEvent::DocumentCreated { document_id, .. }
                | ConnectorEvent::DocumentUpdated { document_id, .. } => (document_id, false),
                ConnectorEvent::DocumentDeleted { document_id, .. } => (document_id, true),
                _ => return true,
            };
            let is_taken = match (&item, first) {
                (Some(item), _) => item == id,
                (None, first) => !is_reached && first.is_none_or(|first| documents < first),
            };
            if is_taken && !is_delete {
                documents += 1;
            }
            is_reached |= match (&item, first) {
                (Some(_), _) => is_taken,
                (None, first) => first.is_some_and(|first| documents >= first),
            };
            is_taken
        });
        self.is_reached = is_reached;
    }
}

/// Bounds a run that has just been created.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put(db: &Connection, run_id: &str, bound: &Bound) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO run_bounds (sync_run_id, first, item, tried_run, is_reached) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (sync_run_id) DO UPDATE SET is_reached = ?5",
    )?
    .execute(params![
        run_id,
        bound.first,
        bound.item,
        bound.tried_run,
        bound.is_reached
    ])?;
    Ok(())
}

/// Finds the bound of a run.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(db: &Connection, run_id: &str) -> Result<Option<Bound>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM run_bounds WHERE sync_run_id = ?1")?
        .query_row([run_id], Bound::read)
        .optional()?)
}

/// Forgets the bounds of a source's runs.
pub(super) fn forget(db: &Connection, source_id: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "DELETE FROM run_bounds WHERE sync_run_id IN (SELECT id FROM sync_runs WHERE source_id = ?1)",
    )?
    .execute([source_id])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn events(ids: &[&str]) -> Vec<ConnectorEvent> {
        let event = |id: &&str| match id.strip_prefix('-') {
            Some(id) => {
                json!({ "type": "document_deleted", "sync_run_id": "", "source_id": "", "document_id": id })
            }
            None => json!({
                "type": "document_created", "sync_run_id": "", "source_id": "", "document_id": id, "content_id": "c",
                "metadata": { "title": id }, "permissions": { "public": true, "users": [], "groups": [] },
            }),
        };
        let group = json!({
            "type": "group_membership_sync", "sync_run_id": "", "source_id": "", "group_email": "g", "member_emails": [],
        });
        let all = ids.iter().map(event).chain([group]).collect();
        serde_json::from_value(all).unwrap()
    }

    fn taken(bound: &mut Bound, ids: &[&str], so_far: u64) -> Vec<String> {
        let mut events = events(ids);
        bound.admit(&mut events, so_far);
        events
            .iter()
            .map(|event| event.subject().to_owned())
            .collect()
    }

    #[test]
    fn only_the_first_documents_are_taken_and_groups_always() {
        let mut bound = Bound {
            first: Some(3),
            ..Bound::default()
        };
        assert_eq!(taken(&mut bound, &["a", "-b"], 0), ["a", "b", "g"]);
        assert!(!bound.is_reached && bound.may_complete());
        assert_eq!(taken(&mut bound, &["c", "d", "e"], 1), ["c", "d", "g"]);
        assert!(bound.is_reached && !bound.may_complete());
        assert_eq!(taken(&mut bound, &["f", "-a"], 3), ["g"]);
    }

    #[test]
    fn only_the_item_that_is_tried_is_taken_and_its_run_never_completes() {
        let mut bound = Bound {
            item: Some("b".to_owned()),
            ..Bound::default()
        };
        assert!(!bound.may_complete());
        assert_eq!(taken(&mut bound, &["a", "-c"], 0), ["g"]);
        assert!(!bound.is_reached);
        assert_eq!(taken(&mut bound, &["a", "b"], 0), ["b", "g"]);
        assert!(bound.is_reached);
    }
}
