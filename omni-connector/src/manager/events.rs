//! Encodes events as JSON with the same fields as serde, but without U+0000.
//!
//! Events are most of a run's traffic, and mostly strings and field names. This encoder writes them one after the other; a
//! serializer would dispatch at every field.

use serde_json::Value;

use super::{buffers::Buffers, call::encode, text};
use crate::wire::{
    Attributes, ConnectorEvent, DocumentMetadata, DocumentPermissions, timestamp::rfc3339_option,
};

/// Batch buffers in use at once: one being sent and one being filled.
const BATCHES: usize = 2;
/// The largest batch buffer kept for reuse; a longer one held a huge event.
const LONGEST_BATCH: usize = 8 << 20;

/// Encodes the events of one run. Replaces the ids in the events by those of the run.
#[derive(Debug)]
pub(crate) struct EventEncoder {
    /// `"sync_run_id":"…","source_id":"…"`
    ids: Vec<u8>,
    batches: Buffers,
}

impl EventEncoder {
    pub(crate) fn new(run: &str, source: &str) -> Self {
        let mut ids = Vec::new();
        text_of(&mut ids, r#""sync_run_id":"#, run);
        text_of(&mut ids, r#","source_id":"#, source);
        Self {
            ids,
            batches: Buffers::new(BATCHES, LONGEST_BATCH),
        }
    }

    /// Encodes a batch (`protocol.md` §3.4).
    pub(crate) fn batch<'a>(&self, events: impl Iterator<Item = &'a ConnectorEvent>) -> Vec<u8> {
        let mut json = self.batches.take();
        json.push(b'{');
        json.extend_from_slice(&self.ids);
        json.extend_from_slice(br#","events":["#);
        for (index, event) in events.enumerate() {
            if index > 0 {
                json.push(b',');
            }
            self.event(&mut json, event);
        }
        json.extend_from_slice(b"]}");
        json
    }

    /// Returns the buffer of a sent batch to the pool.
    pub(crate) fn recycle(&self, batch: Vec<u8>) {
        self.batches.give(batch);
    }

    fn event(&self, json: &mut Vec<u8>, event: &ConnectorEvent) {
        use ConnectorEvent as Event;
        match event {
            Event::DocumentCreated {
                document_id,
                content_id,
                metadata,
                permissions,
                attributes,
                sync_run_id: _,
                source_id: _,
            } => {
                self.begin(json, br#"{"type":"document_created","#);
                of_document(
                    json,
                    [document_id, content_id],
                    metadata,
                    Some(permissions),
                    attributes.as_ref(),
                );
            }
            Event::DocumentUpdated {
                document_id,
                content_id,
                metadata,
                permissions,
                attributes,
                sync_run_id: _,
                source_id: _,
            } => {
                self.begin(json, br#"{"type":"document_updated","#);
                of_document(
                    json,
                    [document_id, content_id],
                    metadata,
                    permissions.as_ref(),
                    attributes.as_ref(),
                );
            }
            Event::DocumentDeleted {
                document_id,
                sync_run_id: _,
                source_id: _,
            } => {
                self.begin(json, br#"{"type":"document_deleted","#);
                text_of(json, r#","document_id":"#, document_id);
            }
            Event::GroupMembershipSync {
                group_email,
                group_name,
                member_emails,
                sync_run_id: _,
                source_id: _,
            } => {
                self.begin(json, br#"{"type":"group_membership_sync","#);
                text_of(json, r#","group_email":"#, group_email);
                option_of(json, r#","group_name":"#, group_name.as_deref());
                texts_of(json, r#","member_emails":"#, member_emails);
            }
            Event::PersonSync {
                person,
                sync_run_id: _,
                source_id: _,
            } => {
                self.begin(json, br#"{"type":"person_sync","#);
                json.extend_from_slice(br#","person":"#);
                json.extend(encode(person));
            }
            Event::PersonDeleted {
                email,
                sync_run_id: _,
                source_id: _,
            } => {
                self.begin(json, br#"{"type":"person_deleted","#);
                text_of(json, r#","email":"#, email);
            }
        }
        json.push(b'}');
    }

    fn begin(&self, json: &mut Vec<u8>, kind: &[u8]) {
        json.extend_from_slice(kind);
        json.extend_from_slice(&self.ids);
    }
}

fn of_document(
    json: &mut Vec<u8>,
    [document_id, content_id]: [&str; 2],
    metadata: &DocumentMetadata,
    permissions: Option<&DocumentPermissions>,
    attributes: Option<&Attributes>,
) {
    let DocumentMetadata {
        title,
        author,
        created_at,
        updated_at,
        content_type,
        mime_type,
        size,
        url,
        path,
        extra,
    } = metadata;
    let [created_at, updated_at] =
        [*created_at, *updated_at].map(|time| rfc3339_option::format(time?).ok());
    text_of(json, r#","document_id":"#, document_id);
    text_of(json, r#","content_id":"#, content_id);
    option_of(json, r#","metadata":{"title":"#, title.as_deref());
    option_of(json, r#","author":"#, author.as_deref());
    option_of(json, r#","created_at":"#, created_at.as_deref());
    option_of(json, r#","updated_at":"#, updated_at.as_deref());
    option_of(json, r#","content_type":"#, content_type.as_deref());
    option_of(json, r#","mime_type":"#, mime_type.as_deref());
    option_of(json, r#","size":"#, size.as_deref());
    option_of(json, r#","url":"#, url.as_deref());
    option_of(json, r#","path":"#, path.as_deref());
    entries_of(json, r#","extra":"#, extra.as_ref());
    match permissions {
        Some(DocumentPermissions {
            public,
            users,
            groups,
        }) => {
            let public = if *public { "true" } else { "false" };
            raw_of(json, r#"},"permissions":{"public":"#, public);
            texts_of(json, r#","users":"#, users);
            texts_of(json, r#","groups":"#, groups);
            json.push(b'}');
        }
        None => raw_of(json, r#"},"permissions":"#, "null"),
    }
    entries_of(json, r#","attributes":"#, attributes);
}

// Each of these writes one field: a literal prefix, then the value.

fn raw_of(json: &mut Vec<u8>, before: &str, value: &str) {
    json.extend_from_slice(before.as_bytes());
    json.extend_from_slice(value.as_bytes());
}

fn text_of(json: &mut Vec<u8>, before: &str, value: &str) {
    json.extend_from_slice(before.as_bytes());
    text::write(json, value);
}

fn option_of(json: &mut Vec<u8>, before: &str, value: Option<&str>) {
    match value {
        Some(value) => text_of(json, before, value),
        None => raw_of(json, before, "null"),
    }
}

fn texts_of(json: &mut Vec<u8>, before: &str, values: &[String]) {
    json.extend_from_slice(before.as_bytes());
    json.push(b'[');
    for (index, value) in values.iter().enumerate() {
        text_of(json, if index > 0 { "," } else { "" }, value);
    }
    json.push(b']');
}

fn entries_of<'a>(
    json: &mut Vec<u8>,
    before: &str,
    entries: Option<impl IntoIterator<Item = (&'a String, &'a Value)>>,
) {
    let Some(entries) = entries else {
        return raw_of(json, before, "null");
    };
    json.extend_from_slice(before.as_bytes());
    json.push(b'{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        text_of(json, if index > 0 { "," } else { "" }, key);
        value_of(json, ":", value);
    }
    json.push(b'}');
}

fn value_of(json: &mut Vec<u8>, before: &str, value: &Value) {
    match value {
        Value::String(value) => text_of(json, before, value),
        Value::Array(values) => {
            json.extend_from_slice(before.as_bytes());
            json.push(b'[');
            for (index, value) in values.iter().enumerate() {
                value_of(json, if index > 0 { "," } else { "" }, value);
            }
            json.push(b']');
        }
        Value::Object(entries) => entries_of(json, before, Some(entries)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            json.extend_from_slice(before.as_bytes());
            // Writing to memory does not fail.
            let _ = serde_json::to_writer(json, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection, option, prelude::*};
    use time::OffsetDateTime;

    use super::*;
    use crate::wire::{EventBatch, PersonSyncRecord};

    const RUN: &str = "R\"1";
    const SOURCE: &str = "S1";

    proptest! {
        #[test]
        fn a_batch_is_written_as_serde_writes_it_but_for_nul(events in collection::vec(an_event(), 0..3)) {
            let json = EventEncoder::new(RUN, SOURCE).batch(events.iter());
            let (sync_run_id, source_id) = (RUN.to_owned(), SOURCE.to_owned());
            let batch = encode(&EventBatch { sync_run_id, source_id, events });
            prop_assert_eq!(String::from_utf8(json).unwrap(), String::from_utf8(batch).unwrap());
        }
    }

    #[test]
    fn an_event_is_written_with_the_ids_of_its_run() {
        let event = ConnectorEvent::DocumentDeleted {
            sync_run_id: "another".to_owned(),
            source_id: String::new(),
            document_id: "d".to_owned(),
        };
        let json = EventEncoder::new(RUN, SOURCE).batch([&event].into_iter());
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["events"][0]["sync_run_id"], RUN);
        assert_eq!(json["events"][0]["source_id"], SOURCE);
    }

    fn an_event() -> impl Strategy<Value = ConnectorEvent> {
        let (sync_run_id, source_id) = (RUN.to_owned(), SOURCE.to_owned());
        let [created, updated, deleted, group, person, gone] =
            [(); 6].map(|()| (sync_run_id.clone(), source_id.clone()));
        let document = || {
            (
                a_text(),
                a_text(),
                metadata(),
                permissions(),
                option::of(entries()),
            )
        };
        prop_oneof![
            document().prop_map(
                move |(document_id, content_id, metadata, permissions, attributes)| {
                    let (sync_run_id, source_id) = created.clone();
                    ConnectorEvent::DocumentCreated {
                        sync_run_id,
                        source_id,
                        document_id,
                        content_id,
                        metadata,
                        permissions,
                        attributes,
                    }
                }
            ),
            (document(), any::<bool>()).prop_map(move |(document, is_known)| {
                let (document_id, content_id, metadata, permissions, attributes) = document;
                let (sync_run_id, source_id) = updated.clone();
                ConnectorEvent::DocumentUpdated {
                    sync_run_id,
                    source_id,
                    document_id,
                    content_id,
                    metadata,
                    permissions: is_known.then_some(permissions),
                    attributes,
                }
            }),
            a_text().prop_map(move |document_id| {
                let (sync_run_id, source_id) = deleted.clone();
                ConnectorEvent::DocumentDeleted {
                    sync_run_id,
                    source_id,
                    document_id,
                }
            }),
            (a_text(), option::of(a_text()), texts()).prop_map(
                move |(group_email, group_name, member_emails)| {
                    let (sync_run_id, source_id) = group.clone();
                    ConnectorEvent::GroupMembershipSync {
                        sync_run_id,
                        source_id,
                        group_email,
                        group_name,
                        member_emails,
                    }
                }
            ),
            (a_text(), option::of(a_text()), option::of(any::<bool>())).prop_map(
                move |(email, display_name, is_active)| {
                    let (sync_run_id, source_id) = person.clone();
                    let known = PersonSyncRecord {
                        email,
                        display_name,
                        is_active,
                        ..PersonSyncRecord::default()
                    };
                    ConnectorEvent::PersonSync {
                        sync_run_id,
                        source_id,
                        person: Box::new(known),
                    }
                }
            ),
            a_text().prop_map(move |email| {
                let (sync_run_id, source_id) = gone.clone();
                ConnectorEvent::PersonDeleted {
                    sync_run_id,
                    source_id,
                    email,
                }
            }),
        ]
    }

    fn metadata() -> impl Strategy<Value = DocumentMetadata> {
        let times = (option::of(a_time()), option::of(a_time()));
        let texts = collection::vec(option::of(a_text()), 7);
        (texts, times, option::of(entries())).prop_map(
            |(texts, (created_at, updated_at), extra)| {
                let mut texts = texts.into_iter();
                let mut next = || texts.next().flatten();
                DocumentMetadata {
                    title: next(),
                    author: next(),
                    created_at,
                    updated_at,
                    content_type: next(),
                    mime_type: next(),
                    size: next(),
                    url: next(),
                    path: next(),
                    extra,
                }
            },
        )
    }

    fn permissions() -> impl Strategy<Value = DocumentPermissions> {
        (any::<bool>(), texts(), texts()).prop_map(|(public, users, groups)| DocumentPermissions {
            public,
            users,
            groups,
        })
    }

    fn entries() -> impl Strategy<Value = Attributes> {
        let value = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            a_text().prop_map(Value::from),
        ];
        let value = value.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                collection::hash_map(a_text(), inner, 0..3)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        });
        collection::btree_map(a_text(), value, 0..3)
    }

    /// Generates instants in the supported years, in any zone.
    fn a_time() -> impl Strategy<Value = OffsetDateTime> {
        (-62_000_000_000_i64..253_000_000_000, -12_i8..=12).prop_map(|(seconds, hours)| {
            OffsetDateTime::from_unix_timestamp(seconds)
                .unwrap()
                .to_offset(time::UtcOffset::from_hms(hours, 0, 0).unwrap())
        })
    }

    fn texts() -> impl Strategy<Value = Vec<String>> {
        collection::vec(a_text(), 0..4)
    }

    fn a_text() -> impl Strategy<Value = String> {
        r#"[\x00-\x7fé"\\]{0,70}"#
    }
}
