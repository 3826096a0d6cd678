//! Places in JSON values, and how two values differ.

use serde::Serialize;
use serde_json::Value;

/// The most differences that are looked for, and one more.
pub(crate) const MOST: usize = 40;

/// Returns the JSON pointer (RFC 6901) of a member.
pub(crate) fn below(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// One path with its two values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Change {
    pub(crate) place: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// Returns the differences, in the order of the paths.
pub(crate) fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(place: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    if before == after || found.len() > MOST {
        return;
    }
    match (before, after) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                compare(&below(place, key), a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                compare(
                    &format!("{place}/{index}"),
                    a.get(index),
                    b.get(index),
                    found,
                );
            }
        }
        _ => found.push(Change {
            place: if place.is_empty() { "/" } else { place }.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

/// Returns the lines between the common beginning and the common end of two texts, if they differ.
pub(crate) fn text_change(before: &str, after: &str) -> Option<Change> {
    if before == after {
        return None;
    }
    let (old, new): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let pairs = || old.iter().zip(&new);
    let start = pairs().take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - start;
    let ends = old.iter().rev().zip(new.iter().rev());
    let end = ends.take(rest).take_while(|(a, b)| a == b).count();
    let block = |lines: &[&str]| {
        let block = lines[start..lines.len() - end].join("\n");
        (!block.is_empty()).then_some(Value::String(block))
    };
    Some(Change {
        place: format!("text, line {}", start + 1),
        before: block(&old),
        after: block(&new),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_lines_between_the_common_ends_of_two_texts_differ() {
        let change = |before, after| {
            let change = text_change(before, after);
            change.map(|change| (change.place, change.before, change.after))
        };
        assert_eq!(change("a\nb", "a\nb"), None);
        let line = |number: u32| format!("text, line {number}");
        assert_eq!(
            change("a\nb\nc", "a\nx\ny\nc"),
            Some((line(2), Some(json!("b")), Some(json!("x\ny"))))
        );
        assert_eq!(change("a\na", "a"), Some((line(2), Some(json!("a")), None)));
    }

    #[test]
    fn added_removed_and_changed_values_are_named_by_their_path() {
        let found = changes(
            &json!({ "a": 1, "b": [1, 2], "c": {} }),
            &json!({ "a": 2, "b": [1], "d": null }),
        );
        let places: Vec<_> = found.iter().map(|change| change.place.as_str()).collect();
        assert_eq!(places, ["/a", "/b/1", "/c", "/d"]);
        assert_eq!(
            (&found[1].before, &found[1].after),
            (&Some(json!(2)), &None)
        );
        assert_eq!(
            (&found[3].before, &found[3].after),
            (&None, &Some(json!(null)))
        );
    }
}
