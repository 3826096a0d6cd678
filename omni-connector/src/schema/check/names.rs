//! Names that language models take. Many refuse all tools of a request for one name.

use serde_json::Value;

/// The longest name of a tool or of a property.
pub(crate) const LONGEST_NAME: usize = 64;

/// Returns the longest name of an action that language models take: Omni offers it as `{source_type}__{name}`
/// (`protocol.md` §6.6).
pub(crate) fn longest_action_name<'a>(source_types: impl IntoIterator<Item = &'a str>) -> usize {
    let prefixes = source_types.into_iter().map(|of| of.len() + "__".len());
    LONGEST_NAME.saturating_sub(prefixes.max().unwrap_or_default())
}

/// Returns the first property, at any depth, whose name language models refuse.
pub(crate) fn refused_property(schema: &Value) -> Option<&str> {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_refused =
        |name: &str| name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_usual);
    match schema {
        Value::Object(members) => {
            let properties = members.get("properties").and_then(Value::as_object);
            let mut names = properties.into_iter().flatten().map(|(name, _)| name);
            let refused = names.find(|name| is_refused(name));
            refused
                .map(String::as_str)
                .or_else(|| members.values().find_map(refused_property))
        }
        Value::Array(items) => items.iter().find_map(refused_property),
        _ => None,
    }
}
