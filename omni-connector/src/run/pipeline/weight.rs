//! About how many bytes an event holds. A list of ten thousand readers or members must count against the bounds of a run.

use serde_json::Value;

use crate::contract::{
    Attributes, ConnectorEvent, DocumentMetadata, DocumentPermissions, PersonSyncRecord,
};

/// What the fixed parts of an event, its ids and its short fields are counted as.
const FIXED: usize = 512;
/// What a string costs beside its bytes.
const STRING: usize = size_of::<String>();

/// About how many bytes an event holds.
pub(super) fn weight(event: &ConnectorEvent) -> usize {
    FIXED
        + match event {
            ConnectorEvent::DocumentCreated {
                metadata,
                permissions,
                attributes,
                ..
            } => document(metadata, Some(permissions), attributes.as_ref()),
            ConnectorEvent::DocumentUpdated {
                metadata,
                permissions,
                attributes,
                ..
            } => document(metadata, permissions.as_ref(), attributes.as_ref()),
            ConnectorEvent::GroupMembershipSync { member_emails, .. } => strings(member_emails),
            ConnectorEvent::PersonSync { .. } => size_of::<PersonSyncRecord>(),
            ConnectorEvent::DocumentDeleted { .. } | ConnectorEvent::PersonDeleted { .. } => 0,
        }
}

fn document(
    metadata: &DocumentMetadata,
    permissions: Option<&DocumentPermissions>,
    attributes: Option<&Attributes>,
) -> usize {
    let texts = [&metadata.title, &metadata.url, &metadata.path];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let readers = permissions.map_or(0, |DocumentPermissions { users, groups, .. }| {
        strings(users) + strings(groups)
    });
    let values = metadata.extra.iter().chain(attributes);
    texts + readers + values.map(entries).sum::<usize>()
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
    use crate::Document;

    #[test]
    fn long_lists_are_heavy() {
        let readers = vec!["somebody@example.com"; 10_000];
        let document = Document::new("d", DocumentPermissions::users(readers));
        let (event, _) = document.into_event(&[]);
        assert!(weight(&event) > 400_000, "{}", weight(&event));
        let group = ConnectorEvent::GroupMembershipSync {
            sync_run_id: String::new(),
            source_id: String::new(),
            group_email: "all@example.com".to_owned(),
            group_name: None,
            member_emails: vec!["somebody@example.com".to_owned(); 10_000],
        };
        assert!(weight(&group) > 400_000, "{}", weight(&group));
    }
}
