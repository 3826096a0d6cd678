//! The shape of a JSON value: a value in which some strings have a meaning.
//!
//! | shape | matching values |
//! |---|---|
//! | `"<any>"` | everything |
//! | `"<absent>"` | no member |
//! | `"<text>"`, `"<number>"`, `"<object>"`, `"<list>"` | a value of this type |
//! | `"<ulid>"` | 26 characters of an id that Omni issued |
//! | `"<extended>"`, `"<rfc3339>"` | a timestamp of one of the two families (`protocol.md` §4.1) |
//! | `"~some words"` | a text that contains them |
//! | `"<empty>"` | no body |
//! | `{"…": 1, …}` | an object with further members |
//! | `["<has>", …]` | a list in which each of these matches an item |
//! Everything else must be equal.
//! Everything else fits what is equal to it.

use serde_json::Value;

/// Describes the first difference, or returns `None` when `value` fits.
pub(crate) fn differ(shape: &Value, value: &Value) -> Option<String> {
    match (shape, value) {
        (Value::String(shape), value) => text(shape, value),
        (Value::Object(shape), Value::Object(value)) => {
            let open = shape.contains_key("…");
            let named = shape.iter().filter(|(key, _)| key.as_str() != "…");
            let differing = named.into_iter().find_map(|(key, shape)| {
                let difference = match (value.get(key), shape.as_str()) {
                    (None, Some("<absent>")) => None,
                    (None, _) => Some("is missing".to_owned()),
                    (Some(value), _) => differ(shape, value),
                };
                difference.map(|difference| format!("`{key}` {difference}"))
            });
            differing.or_else(|| {
                let further = value.keys().find(|key| !shape.contains_key(*key));
                further
                    .filter(|_| !open)
                    .map(|key| format!("`{key}` is there"))
            })
        }
        (Value::Array(shape), Value::Array(items)) => match shape.split_first() {
            Some((first, needed)) if first == "<has>" => needed
                .iter()
                .find(|shape| items.iter().all(|item| differ(shape, item).is_some()))
                .map(|shape| format!("has no item like {shape} among {value}")),
            _ if shape.len() != items.len() => Some(format!(
                "has {} items instead of {}",
                items.len(),
                shape.len()
            )),
            _ => shape
                .iter()
                .zip(items)
                .enumerate()
                .find_map(|(index, (shape, item))| {
                    differ(shape, item).map(|difference| format!("[{index}] {difference}"))
                }),
        },
        (Value::Number(shape), Value::Number(value)) if shape.as_f64() == value.as_f64() => None,
        (shape, value) if shape == value => None,
        (shape, value) => Some(format!("is {value} instead of {shape}")),
    }
}

fn text(shape: &str, value: &Value) -> Option<String> {
    let text = value.as_str();
    let fits = match shape {
        "<any>" => true,
        "<text>" => value.is_string(),
        "<number>" => value.is_number(),
        "<object>" => value.is_object(),
        "<list>" => value.is_array(),
        "<empty>" => text == Some(""),
        "<ulid>" => text.is_some_and(|text| {
            text.len() == 26
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        }),
        "<extended>" => text.is_some_and(is_extended),
        "<rfc3339>" => text.is_some_and(is_rfc3339),
        _ => match (shape.strip_prefix('~'), text) {
            (Some(part), Some(text)) => text.contains(part),
            _ => text == Some(shape),
        },
    };
    (!fits).then(|| format!("is {value} instead of {shape:?}"))
}

/// `+002026-08-22T04:08:28.123456000Z`
fn is_extended(text: &str) -> bool {
    text.len() == 33 && text.starts_with("+00") && text.ends_with('Z') && is_rfc3339(&text[3..])
}

fn is_rfc3339(text: &str) -> bool {
    time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_shape_matches_its_values_and_no_others() {
        for (shape, fitting, other) in [
            (json!("<any>"), json!(null), None),
            (json!("<text>"), json!("x"), Some(json!(1))),
            (json!("~b c"), json!("a b c d"), Some(json!("a c b"))),
            (json!("a"), json!("a"), Some(json!("b"))),
            (
                json!({ "a": 1 }),
                json!({ "a": 1.0 }),
                Some(json!({ "a": 1, "b": 2 })),
            ),
            (
                json!({ "a": 1, "…": 1 }),
                json!({ "a": 1, "b": 2 }),
                Some(json!({ "b": 2 })),
            ),
            (
                json!({ "a": "<absent>" }),
                json!({}),
                Some(json!({ "a": 1 })),
            ),
            (json!({ "a": null }), json!({ "a": null }), Some(json!({}))),
            (json!(["<has>", 2]), json!([1, 2]), Some(json!([1, 3]))),
            (json!([1, "<number>"]), json!([1, 2]), Some(json!([1]))),
            (
                json!("<ulid>"),
                json!("01K3B7T6JQ3W5R8Z1Y2X4V6N9M"),
                Some(json!("01k3b7")),
            ),
            (
                json!("<extended>"),
                json!("+002026-08-22T04:08:28.123456000Z"),
                Some(json!("2026-08-22T04:08:28.123456000Z")),
            ),
        ] {
            assert_eq!(differ(&shape, &fitting), None);
            if let Some(other) = other {
                assert!(differ(&shape, &other).is_some(), "{shape} fits {other}");
            }
        }
    }
}
