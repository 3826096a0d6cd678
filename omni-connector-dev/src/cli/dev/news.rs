//! Describes the differences between two manifests, as sentences for the author.

use omni_connector::Manifest;
use serde_json::Value;

/// Returns each difference that people or models notice.
pub(super) fn between(before: &Manifest, after: &Manifest) -> Vec<String> {
    let mut news = Vec::new();
    if before.version != after.version {
        news.push(format!(
            "the version is {} now, after {}",
            after.version, before.version
        ));
    }
    for action in &after.actions {
        let name = &action.name;
        match before.actions.iter().find(|known| known.name == *name) {
            None => news.push(format!("action `{name}` is new")),
            Some(known) if known != action => {
                let (old, new) = (
                    required(&known.input_schema),
                    required(&action.input_schema),
                );
                let count = news.len();
                for field in new.iter().filter(|field| !old.contains(field)) {
                    news.push(format!("action `{name}`: `{field}` is required now"));
                }
                for field in old.iter().filter(|field| !new.contains(field)) {
                    news.push(format!(
                        "action `{name}`: `{field}` is not required any more"
                    ));
                }
                if news.len() == count {
                    news.push(format!("action `{name}` has changed"));
                }
            }
            Some(_) => {}
        }
    }
    for action in &before.actions {
        if after.actions.iter().all(|known| known.name != action.name) {
            news.push(format!("action `{}` is gone", action.name));
        }
    }
    for (what, changed) in [
        (
            "the source types",
            before.source_types != after.source_types,
        ),
        (
            "the modes of syncing",
            before.sync_modes != after.sync_modes,
        ),
        (
            "the search operators",
            before.search_operators != after.search_operators,
        ),
        ("the sign-in", before.oauth != after.oauth),
        ("the skills", before.skills != after.skills),
    ] {
        if changed {
            news.push(format!("{what} have changed"));
        }
    }
    news
}

fn required(schema: &Value) -> Vec<&str> {
    let required = schema.get("required").and_then(Value::as_array);
    required
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_newly_required_field_is_named() {
        let manifest = |schema: Value| -> Manifest {
            serde_json::from_value(json!({
                "name": "a", "display_name": "A", "version": "1", "sync_modes": ["full"], "connector_id": "a",
                "connector_url": "http://a", "actions": [{ "name": "create", "description": "d", "input_schema": schema }],
            }))
            .unwrap()
        };
        let before = manifest(json!({ "type": "object" }));
        let after = manifest(json!({ "type": "object", "required": ["title"] }));
        assert_eq!(
            between(&before, &after),
            ["action `create`: `title` is required now"]
        );
        assert!(between(&after, &after).is_empty());
    }
}
