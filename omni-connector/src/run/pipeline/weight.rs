//! Estimates the size of an event in bytes, so that long lists of readers or members count against the limits of a run.

use serde_json::Value;

use crate::wire::{
    Attributes, ConnectorEvent, DocumentMetadata, DocumentPermissions, PersonSyncRecord,
};

/// The size of an event's fixed fields, including the ids of run and source.
const FIXED: usize = 512;
/// The size of a string in addition to its bytes.
const STRING: usize = size_of::<String>();

/// Returns the approximate size of an event, in bytes.
pub(super) fn weight(event: &ConnectorEvent) -> usize {
    FIXED
        + match event {
            ConnectorEvent::DocumentCreated {
                document_id,
                metadata,
                permissions,
                attributes,
                ..
            } => document_id.len() + document(metadata, Some(permissions), attributes.as_ref()),
            ConnectorEvent::DocumentUpdated {
                document_id,
                metadata,
                permissions,
                attributes,
                ..
            } => document_id.len() + document(metadata, permissions.as_ref(), attributes.as_ref()),
            ConnectorEvent::GroupMembershipSync {
                group_email,
                group_name,
                member_emails,
                ..
            } => group_email.len() + option(group_name.as_ref()) + strings(member_emails),
            // A person has two dozen fields, and there are few compared to documents.
            ConnectorEvent::PersonSync { person, .. } => {
                let texts = serde_json::to_string(person).unwrap_or_default();
                size_of::<PersonSyncRecord>() + texts.len()
            }
            ConnectorEvent::DocumentDeleted { document_id, .. } => document_id.len(),
            ConnectorEvent::PersonDeleted { email, .. } => email.len(),
        }
}

fn document(
    metadata: &DocumentMetadata,
    permissions: Option<&DocumentPermissions>,
    attributes: Option<&Attributes>,
) -> usize {
    let DocumentMetadata {
        title,
        author,
        created_at: _,
        updated_at: _,
        content_type,
        mime_type,
        size,
        url,
        path,
        extra,
    } = metadata;
    let texts = [title, author, content_type, mime_type, size, url, path];
    let texts: usize = texts.map(|text| option(text.as_ref())).iter().sum();
    let readers = permissions.map_or(0, |DocumentPermissions { users, groups, .. }| {
        strings(users) + strings(groups)
    });
    let values = extra.iter().chain(attributes);
    texts + readers + values.map(entries).sum::<usize>()
}

fn option(text: Option<&String>) -> usize {
    text.map_or(0, String::len)
}

fn strings(texts: &[String]) -> usize {
    texts.iter().map(|text| text.len() + STRING).sum()
}

fn entries<'a>(entries: impl IntoIterator<Item = (&'a String, &'a Value)>) -> usize {
    let entries = entries.into_iter();
    entries
        .map(|(key, inner)| key.len() + STRING + value(inner))
        .sum()
}

fn value(json: &Value) -> usize {
    size_of::<Value>()
        + match json {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(value).sum(),
            Value::Object(values) => entries(values),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Document;

    #[test]
    fn every_long_field_makes_an_event_heavy() {
        const LONG: usize = 400_000;
        let (sync_run_id, source_id) = (String::new(), String::new());
        let long = || "x".repeat(LONG);
        let of = |document: Document<'_>| document.into_event(&[]).0;
        let document = |id: &str| Document::new(id, DocumentPermissions::public());
        let readers = vec!["somebody@example.com"; LONG / 20];
        let person = PersonSyncRecord {
            job_title: Some(long()),
            ..PersonSyncRecord::default()
        };
        for event in [
            of(Document::new(
                "d",
                DocumentPermissions::users(readers.clone()),
            )),
            of(document(&long())),
            of(document("d").title(long())),
            of(document("d").author(long())),
            of(document("d").attribute("key", long())),
            ConnectorEvent::DocumentDeleted {
                sync_run_id: sync_run_id.clone(),
                source_id: source_id.clone(),
                document_id: long(),
            },
            ConnectorEvent::GroupMembershipSync {
                sync_run_id: sync_run_id.clone(),
                source_id: source_id.clone(),
                group_email: "all@example.com".to_owned(),
                group_name: None,
                member_emails: readers.into_iter().map(str::to_owned).collect(),
            },
            ConnectorEvent::PersonSync {
                sync_run_id: sync_run_id.clone(),
                source_id: source_id.clone(),
                person: Box::new(person),
            },
            ConnectorEvent::PersonDeleted {
                sync_run_id,
                source_id,
                email: long(),
            },
        ] {
            assert!(weight(&event) >= LONG, "{event:.100?}");
        }
    }
}
