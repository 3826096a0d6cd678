//! A tape against its source: how old it is, and which fields have changed since it was recorded.

use std::collections::{BTreeMap, BTreeSet};

use omni_connector::http::{Exchange, Recorded};
use serde_json::Value;

use super::{Depth, Line, Verdict};
use crate::tape::Tape;

/// The age in days from which a tape should be recorded again.
const OLD: i64 = 180;

/// The types of each field, by operation and pointer. `*` is every item of a list.
type Shape = BTreeMap<(String, String), BTreeSet<&'static str>>;

/// Says how old a tape is.
pub(super) fn age(tape: &Tape) -> Line {
    let recorded = &tape.head().recorded;
    let line = |verdict, message| Line::new(Depth::Tests, "tape", verdict, message);
    match tape.age_days() {
        None => line(
            Verdict::Warn,
            format!("`{recorded}` is not the day of a recording"),
        ),
        Some(days) if days > OLD => {
            let message = format!("it was recorded on {recorded}, {days} days ago");
            line(Verdict::Warn, message).help("record it again with `cargo omni sync --record`")
        }
        Some(days) => line(
            Verdict::Ok,
            format!("it was recorded on {recorded}, {days} days ago"),
        ),
    }
}

/// Names the fields that came, went or changed their type. Operations on one side only are not compared.
pub(super) fn drift(tape: &Tape, now: &Tape) -> Vec<Line> {
    let (before, now) = (shape(&tape.exchanges()), shape(&now.exchanges()));
    let operations = |shape: &Shape| {
        shape
            .keys()
            .map(|(name, _)| name.clone())
            .collect::<BTreeSet<_>>()
    };
    let shared = &operations(&before) & &operations(&now);
    let places: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let mut lines = Vec::new();
    for place in places
        .into_iter()
        .filter(|(operation, _)| shared.contains(operation))
    {
        let list = |types: &BTreeSet<&str>| types.iter().copied().collect::<Vec<_>>().join(" or ");
        let (verdict, message) = match (before.get(place), now.get(place)) {
            (Some(was), None) if has_parent(&now, place) => {
                (Verdict::Warn, format!("it is gone; it was {}", list(was)))
            }
            (None, Some(is)) if has_parent(&before, place) => {
                (Verdict::Ok, format!("it is new: {}", list(is)))
            }
            (Some(was), Some(is)) if was.is_disjoint(is) => (
                Verdict::Warn,
                format!("it is {} now; it was {}", list(is), list(was)),
            ),
            _ => continue,
        };
        let (operation, pointer) = place;
        lines.push(
            Line::new(Depth::Live, "schema drift", verdict, message)
                .at(format!("{operation} {pointer}")),
        );
    }
    if lines.is_empty() {
        let message = format!(
            "{} operations answer with the same fields as on the tape",
            shared.len()
        );
        lines.push(Line::new(Depth::Live, "schema drift", Verdict::Ok, message));
    }
    lines
}

/// Returns whether the object or list around a field is known. Otherwise its absence says nothing about the field.
fn has_parent(shape: &Shape, (operation, pointer): &(String, String)) -> bool {
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    shape.contains_key(&(operation.clone(), parent.to_owned()))
}

fn shape(exchanges: &[Exchange]) -> Shape {
    let mut shape = Shape::new();
    for exchange in exchanges {
        if let (200..300, Recorded::Json(body)) =
            (exchange.answered.status, &exchange.answered.body)
        {
            note(body, &exchange.operation, "", &mut shape);
        }
    }
    shape
}

fn note(value: &Value, operation: &str, at: &str, shape: &mut Shape) {
    let name = match value {
        // A field without a value has any type.
        Value::Null => return,
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(items) => {
            for item in items {
                note(item, operation, &format!("{at}/*"), shape);
            }
            "a list"
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                note(value, operation, &format!("{at}/{name}"), shape);
            }
            "an object"
        }
    };
    let place = (operation.to_owned(), at.to_owned());
    shape.entry(place).or_default().insert(name);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tape(body: &Value) -> Tape {
        let head = json!({ "tape": 1, "kit": "0", "connector": "x", "recorded": "2020-01-01", "secrets": 0, "given": [], "left_out": [] });
        let exchange = json!({
            "operation": "GET issues",
            "asked": { "method": "GET", "at": "https://a", "path": "/issues", "query": [], "headers": {}, "body": "empty" },
            "answered": { "status": 200, "headers": {}, "body": { "json": body } },
        });
        Tape::parse("some.tape", &format!("{head}\n{exchange}\n")).unwrap()
    }

    #[test]
    fn a_field_that_came_went_or_changed_its_type_is_named() {
        let before = tape(
            &json!({ "issues": [{ "key": "A", "assignee": "ann", "old": 1, "empty": null }, { "key": "B" }] }),
        );
        let now = tape(
            &json!({ "issues": [{ "key": "A", "assignee": { "name": "ann" }, "new": true, "empty": 1 }] }),
        );
        let lines = drift(&before, &now);
        let said: Vec<_> = lines
            .iter()
            .map(|line| (line.place.as_str(), line.message.as_str()))
            .collect();
        let expected = [
            (
                "GET issues /issues/*/assignee",
                "it is an object now; it was a string",
            ),
            ("GET issues /issues/*/empty", "it is new: a number"),
            ("GET issues /issues/*/new", "it is new: a boolean"),
            ("GET issues /issues/*/old", "it is gone; it was a number"),
        ];
        for line in expected {
            assert!(said.contains(&line), "{line:?} is not in {said:?}");
        }
        assert_eq!(drift(&before, &before)[0].verdict, Verdict::Ok);
        assert_eq!(age(&before).verdict, Verdict::Warn);
    }
}
