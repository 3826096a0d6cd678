//! About how many bytes a document holds beside its text. A list of ten thousand readers must count against the bounds of a run.

use serde_json::Value;

use crate::contract::{ConnectorEvent, DocumentPermissions};

/// What the fixed parts of an event, its ids and its short fields are counted as.
const FIXED: usize = 512;
/// What a string costs beside its bytes.
const STRING: usize = size_of::<String>();

/// About how many bytes the event of a document holds. Other events are weighed by their JSON.
pub(super) fn weight(event: &ConnectorEvent) -> usize {
    let ConnectorEvent::DocumentCreated {
        metadata,
        permissions: DocumentPermissions { users, groups, .. },
        attributes,
        ..
    } = event
    else {
        return FIXED;
    };
    let texts = [&metadata.title, &metadata.url, &metadata.path];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let values = metadata.extra.iter().chain(attributes);
    FIXED + texts + strings(users) + strings(groups) + values.map(entries).sum::<usize>()
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
    }
}
