//! Runs for a trial, which a person bounded: to some documents, or to one item. Such a run must never publish a checkpoint
//! once something of it was left out.

use omni_connector::{ConnectorEvent, DocumentMetadata};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use time::{
    Date, OffsetDateTime, PrimitiveDateTime, format_description::well_known::Rfc3339,
    macros::format_description,
};

use super::{StoreError, column::Json};

/// The bound of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// This number of documents is taken; the others are not stored.
    #[serde(default)]
    pub first: Option<u64>,
    /// Only documents whose id, title or address contains this text are taken, whatever its case.
    #[serde(default)]
    pub matching: Option<String>,
    /// Only documents that changed in the source at this time or later are taken, and no deletes.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    /// Only the document of this item is taken.
    #[serde(default)]
    pub item: Option<String>,
    /// The run whose failure is tried again.
    #[serde(default)]
    pub tried_run: Option<String>,
    /// The tape that answers in place of the source.
    #[serde(default)]
    pub tape: Option<String>,
    /// Whether everything that the bound admits has come.
    #[serde(default)]
    pub is_reached: bool,
    /// Whether a document or a delete was left out.
    #[serde(default)]
    pub has_left_out: bool,
}

impl Bound {
    /// Returns the message of a run that ended because of its bound.
    pub fn message(&self) -> String {
        if let Some(item) = &self.item {
            return format!("Ended: only `{item}` was tried, and nothing else was taken");
        }
        let documents = match self.first {
            Some(1) => "the first document".to_owned(),
            Some(first) => format!("the first {first} documents"),
            None => "documents".to_owned(),
        };
        let matching = self
            .matching
            .as_ref()
            .map(|text| format!(" that match `{text}`"));
        let since = self.since.and_then(|since| since.format(&Rfc3339).ok());
        let since = since.map(|since| format!(" changed since {since}"));
        let is_one = self.first == Some(1);
        format!(
            "Ended: only {documents}{}{} {} asked for",
            matching.unwrap_or_default(),
            since.unwrap_or_default(),
            if is_one { "was" } else { "were" }
        )
    }

    /// Returns whether the run may publish its checkpoint when it completes.
    pub fn may_complete(&self) -> bool {
        self.item.is_none() && !self.is_reached && !self.has_left_out
    }

    /// Removes the documents that the bound leaves out, and notes whether it is reached. `so_far` documents came before. Groups
    /// and people are always taken.
    pub fn admit(&mut self, events: &mut Vec<ConnectorEvent>, so_far: u64) {
        let mut documents = so_far;
        events.retain(|event| {
            let Some(subject) = Subject::of(event) else {
                return true;
            };
            let is_taken = match &self.item {
                Some(item) => item == subject.id,
                None => !self.is_reached && self.fits(&subject),
            };
            if is_taken && subject.metadata.is_some() {
                documents += 1;
            }
            self.is_reached |= match (&self.item, self.first) {
                (Some(_), _) => is_taken,
                (None, first) => first.is_some_and(|first| documents >= first),
            };
            self.has_left_out |= !is_taken;
            is_taken
        });
    }

    /// Returns whether a document or a delete is one of those that were asked for.
    fn fits(&self, subject: &Subject<'_>) -> bool {
        let metadata = subject.metadata;
        let is_recent = self.since.is_none_or(|since| {
            let changed = metadata.and_then(|metadata| metadata.updated_at);
            changed.is_some_and(|changed| changed >= since)
        });
        let matches = self.matching.as_ref().is_none_or(|wanted| {
            let wanted = wanted.to_lowercase();
            let title = metadata.and_then(|metadata| metadata.title.as_deref());
            let url = metadata.and_then(|metadata| metadata.url.as_deref());
            let mut texts = [Some(subject.id), title, url].into_iter().flatten();
            texts.any(|text| text.to_lowercase().contains(&wanted))
        });
        is_recent && matches
    }
}

/// A document of an event, or its delete.
struct Subject<'a> {
    id: &'a str,
    /// None for a delete.
    metadata: Option<&'a DocumentMetadata>,
}

impl<'a> Subject<'a> {
    fn of(event: &'a ConnectorEvent) -> Option<Self> {
        let (id, metadata) = match event {
            ConnectorEvent::DocumentCreated {
                document_id,
                metadata,
                ..
            }
            | ConnectorEvent::DocumentUpdated {
                document_id,
                metadata,
                ..
            } => (document_id, Some(metadata)),
            ConnectorEvent::DocumentDeleted { document_id, .. } => (document_id, None),
            _ => return None,
        };
        Some(Self { id, metadata })
    }
}

/// Reads a time that a person typed: RFC 3339, or a day, which begins at midnight in UTC.
///
/// # Errors
/// Returns the message for the person.
pub fn parse_since(text: &str) -> Result<OffsetDateTime, String> {
    let day = || Date::parse(text, format_description!("[year]-[month]-[day]"));
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| day().map(Date::midnight).map(PrimitiveDateTime::assume_utc));
    time.map_err(|_| {
        format!(
            "`{text}` is not a time; write a day such as `2026-01-31`, or `2026-01-31T12:00:00Z`"
        )
    })
}

/// Bounds a run, or changes its bound.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put(db: &Connection, run_id: &str, bound: &Bound) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO bounded_runs (sync_run_id, bound) VALUES (?1, ?2) ON CONFLICT (sync_run_id) DO UPDATE SET bound = ?2",
    )?
    .execute(params![run_id, Json(bound)])?;
    Ok(())
}

/// Finds the bound of a run.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(db: &Connection, run_id: &str) -> Result<Option<Bound>, StoreError> {
    Ok(db
        .prepare_cached("SELECT bound FROM bounded_runs WHERE sync_run_id = ?1")?
        .query_row([run_id], |row| row.get(0).map(|Json(bound)| bound))
        .optional()?)
}

/// Forgets the bounds of a source's runs.
pub(super) fn forget(db: &Connection, source_id: &str) -> Result<(), StoreError> {
    db.prepare_cached(
        "DELETE FROM bounded_runs WHERE sync_run_id IN (SELECT id FROM sync_runs WHERE source_id = ?1)",
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
    fn only_documents_that_match_are_taken_by_their_id_title_or_address() {
        let mut bound = Bound {
            matching: Some("PLAN".to_owned()),
            ..Bound::default()
        };
        assert_eq!(
            taken(&mut bound, &["plan-1", "the Plan"], 0),
            ["plan-1", "the Plan", "g"]
        );
        assert!(bound.may_complete(), "nothing was left out");
        assert_eq!(
            taken(&mut bound, &["a", "-b", "-plan-2"], 2),
            ["plan-2", "g"]
        );
        assert!(!bound.may_complete() && !bound.is_reached);
        assert_eq!(
            bound.message(),
            "Ended: only documents that match `PLAN` were asked for"
        );
        bound.first = Some(1);
        assert_eq!(
            taken(&mut bound, &["a", "plan-3", "plan-4"], 0),
            ["plan-3", "g"]
        );
        assert!(bound.is_reached);
    }

    #[test]
    fn only_documents_that_changed_since_a_time_are_taken_and_no_deletes() {
        let mut bound = Bound {
            since: Some(parse_since("2026-01-31").unwrap()),
            ..Bound::default()
        };
        let mut events = events(&["old", "new", "timeless", "-gone"]);
        for (event, time) in events
            .iter_mut()
            .zip(["2026-01-30T23:59:59Z", "2026-01-31T00:00:00Z"])
        {
            if let ConnectorEvent::DocumentCreated { metadata, .. } = event {
                metadata.updated_at = Some(parse_since(time).unwrap());
            }
        }
        bound.admit(&mut events, 0);
        let taken: Vec<_> = events.iter().map(ConnectorEvent::subject).collect();
        assert_eq!(taken, ["new", "g"]);
        assert!(!bound.may_complete());
        assert_eq!(
            bound.message(),
            "Ended: only documents changed since 2026-01-31T00:00:00Z were asked for"
        );
        assert!(
            parse_since("yesterday")
                .unwrap_err()
                .contains("`yesterday` is not a time")
        );
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
