//! The meaning of a checkpoint: what two runs of an unchanged source must agree on.

use serde_json::Value;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use ulid::Ulid;

use crate::testing::snapshot::changed_lines;

/// How far a time may be from the present to be one that the run has set.
const AROUND: Duration = Duration::days(2);

/// Replaces times of the present and ids of runs, which have one, and sorts lists.
pub(super) fn meaning(value: Value) -> Value {
    match value {
        Value::String(text) => {
            let time = OffsetDateTime::parse(&text, &Rfc3339).ok();
            // As `time` writes a field of a struct.
            let time = time.or_else(|| serde_json::from_value(text.as_str().into()).ok());
            let time = time.or_else(|| {
                let id: Ulid = text.parse().ok()?;
                time_of(i64::try_from(id.timestamp_ms()).ok()?)
            });
            match time {
                Some(time) if is_now(time) => NOW.into(),
                _ => text.into(),
            }
        }
        Value::Number(number) => match number.as_i64().and_then(time_of) {
            Some(time) if is_now(time) => NOW.into(),
            _ => number.into(),
        },
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(meaning).collect();
            items.sort_by_cached_key(Value::to_string);
            items.into()
        }
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields.map(|(name, value)| (name, meaning(value))).collect()
        }
        value => value,
    }
}

const NOW: &str = "the present";

/// Describes the differences from the expected meaning, line by line.
pub(super) fn differences(found: &Value, expected: &Value) -> String {
    let lines = |value: &Value| format!("{value:#}\n");
    changed_lines(&lines(expected), &lines(found))
}

fn is_now(time: OffsetDateTime) -> bool {
    (time - OffsetDateTime::now_utc()).abs() < AROUND
}

/// Reads a number as seconds, milliseconds, microseconds or nanoseconds since 1970.
fn time_of(number: i64) -> Option<OffsetDateTime> {
    let mut seconds = number;
    while seconds > 100_000_000_000 {
        seconds /= 1_000;
    }
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_of_the_run_and_the_order_of_lists_have_no_meaning_and_all_else_has() {
        let now = OffsetDateTime::now_utc();
        let of = |time: Value, ids: Value| meaning(json!({ "ids": ids, "at": time }));
        let text = now.format(&Rfc3339).unwrap();
        let one = of(text.into(), json!(["a", "b"]));
        let as_field = serde_json::to_value(now).unwrap();
        assert_eq!(of(as_field, json!(["a", "b"])), one);
        for time in [
            now.unix_timestamp(),
            now.unix_timestamp() * 1_000 + 5,
            now.unix_timestamp() * 1_000_000_000,
        ] {
            assert_eq!(of(time.into(), json!(["b", "a"])), one);
        }
        assert_eq!(
            of(Ulid::generate().to_string().into(), json!(["a", "b"])),
            one
        );
        assert_ne!(of("2026-01-02T10:00:00Z".into(), json!(["a", "b"])), one);
        let other = of(now.unix_timestamp().into(), json!(["a"]));
        assert!(differences(&other, &one).contains("-     \"b\""));
    }
}
