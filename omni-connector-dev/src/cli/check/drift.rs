//! A tape against its source: how old it is, and which fields have changed since it was recorded.

use super::{Depth, Line, Verdict};
use crate::tape::{Change, Shape, Tape};

/// The age in days from which a tape should be recorded again.
const OLD: i64 = 180;

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
    let (before, now) = (Shape::of(&tape.exchanges()), Shape::of(&now.exchanges()));
    let mut lines = Vec::new();
    for ((operation, pointer), change) in before.changes(&now) {
        let (verdict, message) = match change {
            Change::Gone(was) => (Verdict::Warn, format!("it is gone; it was {was}")),
            Change::New(is) => (Verdict::Ok, format!("it is new: {is}")),
            Change::Other(was, is) => (Verdict::Warn, format!("it is {is} now; it was {was}")),
        };
        lines.push(
            Line::new(Depth::Live, "schema drift", verdict, message)
                .at(format!("{operation} {pointer}")),
        );
    }
    if lines.is_empty() {
        let shared = (&before.operations() & &now.operations()).len();
        let message = format!("{shared} operations answer with the same fields as on the tape");
        lines.push(Line::new(Depth::Live, "schema drift", Verdict::Ok, message));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
