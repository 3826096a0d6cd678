//! Compares the source of the tests with a tape of the real one: the operations, the fields of answers, and how lists end.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use anyhow::{Result, anyhow};
use omni_connector::{
    SyncType,
    http::{Exchange, Recorded},
};
use serde_json::Value;

use super::{Conformance, Failure, Verdict, world::World};
use crate::{
    tape::{Change, Shape, Tape},
    testing::{
        mutation::{items, next_page},
        setup::client,
    },
};

/// The variable that names a tape in place of the suite's.
const VARIABLE: &str = "OMNI_TEST_TAPE";
/// The most fields that are named when all is well.
const NAMED: usize = 8;

pub(super) async fn fake(suite: &Conformance) -> Result<Verdict> {
    let named = std::env::var_os(VARIABLE).map(Into::into);
    let Some(path) = named.or_else(|| suite.tape.clone()) else {
        let reason = "no tape of the real source is named with `tape: \"tests/tapes/full.tape\"`";
        return Ok(Verdict::LeftOut(reason.to_owned()));
    };
    let Some(start) = &suite.source else {
        return Ok(Verdict::LeftOut(
            "the connector is tested without a source".to_owned(),
        ));
    };
    if !start().mutations().is_empty() {
        return Ok(Verdict::LeftOut(
            "the source of the tests is a tape itself".to_owned(),
        ));
    }
    let real = Tape::read(suite.folder.join(path))?.exchanges();
    let Some(fake) = recorded(suite).await? else {
        let reason = "nothing is recorded: the connector does not call its source through `omni_connector::http`";
        return Ok(Verdict::LeftOut(reason.to_owned()));
    };
    let Compared { wrong, missing } = compare(&real, &fake);
    if !wrong.is_empty() {
        let failure = Failure::new("the source of the tests does not answer as the real one did")
            .fact("differences", wrong.join("\n"))
            .help("change the source of the tests, or record the tape again if the real one has changed");
        return Ok(Verdict::Failed(failure));
    }
    let operations = Shape::of(&fake).operations().len();
    let mut said = format!("{operations} operations answer as on the tape");
    if !missing.is_empty() {
        let more = missing.len().saturating_sub(NAMED);
        let named: Vec<_> = missing.into_iter().take(NAMED).collect();
        let _ = write!(said, "; only on the tape: {}", named.join(", "));
        if more > 0 {
            let _ = write!(said, " and {more} more");
        }
    }
    Ok(Verdict::Passed(said))
}

/// Records a full run against the source of the tests.
async fn recorded(suite: &Conformance) -> Result<Option<Vec<Exchange>>> {
    let suite = suite.clone().env("OMNI_HTTP_RECORD", "1");
    let world = World::calm(&suite).await?;
    world.run(SyncType::Full).await?;
    let answer = client()
        .get(format!("{}/dev/tape", world.setup.url()))
        .send()
        .await?;
    if answer.status() == 404 {
        return Ok(None);
    }
    let is_good = answer.status().is_success();
    let text = answer.text().await?;
    if !is_good {
        return Err(anyhow!(text));
    }
    let exchanges = Tape::parse("the recording of the test", &text)?.exchanges();
    Ok((!exchanges.is_empty()).then_some(exchanges))
}

/// The differences between a tape of the real source and one of the fake.
#[derive(Debug, Default)]
struct Compared {
    /// What the fake does that the real source does not.
    wrong: Vec<String>,
    /// What only the real source has, which a connector need not read.
    missing: Vec<String>,
}

fn compare(real: &[Exchange], fake: &[Exchange]) -> Compared {
    let mut found = Compared::default();
    let operations = |exchanges: &[Exchange]| {
        let all = exchanges.iter().map(|one| one.operation.clone());
        all.collect::<BTreeSet<_>>()
    };
    let (real_operations, fake_operations) = (operations(real), operations(fake));
    for operation in fake_operations.difference(&real_operations) {
        found
            .wrong
            .push(format!("`{operation}` is not on the tape"));
    }
    for operation in real_operations.difference(&fake_operations) {
        found.missing.push(format!("`{operation}`"));
    }
    for ((operation, pointer), change) in Shape::of(real).changes(&Shape::of(fake)) {
        let place = format!("`{operation}` {pointer}");
        match change {
            Change::Gone(_) => found.missing.push(place),
            Change::New(is) => found
                .wrong
                .push(format!("{place} is {is}, and not on the tape at all")),
            Change::Other(was, is) => found
                .wrong
                .push(format!("{place} is {is}, and {was} on the tape")),
        }
    }
    let (real, fake) = (ends(real), ends(fake));
    for (operation, was) in &real {
        let Some(is) = fake.get(operation) else {
            continue;
        };
        for place in was.signals.union(&is.signals) {
            let (was, is) = (was.on_last(place), is.on_last(place));
            if was != is {
                found.wrong.push(format!(
                    "`{operation}` {place} of the last page is {is}, and {was} on the tape"
                ));
            }
        }
    }
    found
}

/// How a list ends: the values outside of it on its last page.
struct End {
    last: BTreeMap<String, &'static str>,
    /// The places whose values differ between the last page and the one before.
    signals: BTreeSet<String>,
}

impl End {
    fn on_last(&self, place: &str) -> &'static str {
        self.last.get(place).copied().unwrap_or("missing")
    }
}

/// Returns the ends of lists with several pages, by operation.
fn ends(exchanges: &[Exchange]) -> BTreeMap<String, End> {
    let mut inner: BTreeMap<&str, BTreeMap<String, &'static str>> = BTreeMap::new();
    let mut last = BTreeMap::new();
    for (number, exchange) in exchanges.iter().enumerate() {
        if let (200..300, Some(outside)) = (exchange.answered.status, outside(exchange)) {
            let operation = exchange.operation.as_str();
            if next_page(exchanges, number).is_some() {
                inner.insert(operation, outside);
            } else {
                last.insert(operation, outside);
            }
        }
    }
    let with_both = inner.into_iter().filter_map(|(operation, inner)| {
        let last = last.remove(operation)?;
        let places = inner.keys().chain(last.keys());
        let differs = |place: &&String| inner.get(*place) != last.get(*place);
        let signals = places.filter(differs).cloned().collect();
        Some((operation.to_owned(), End { last, signals }))
    });
    with_both.collect()
}

/// Returns the kinds of the values outside of the list of an answer; none for an answer without a list.
fn outside(exchange: &Exchange) -> Option<BTreeMap<String, &'static str>> {
    let mut rest = exchange.clone();
    items(&mut rest)?.clear();
    let mut found = BTreeMap::new();
    if let Recorded::Json(body) = &rest.answered.body {
        note(body, "", &mut found);
    }
    for name in rest.answered.headers.keys() {
        found.insert(format!("the header `{name}`"), "there");
    }
    // Types of files and times of changes say nothing about a list.
    for name in ["content-type", "etag", "last-modified"] {
        found.remove(&format!("the header `{name}`"));
    }
    Some(found)
}

fn note(value: &Value, at: &str, found: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "an empty string",
        Value::String(_) => "a string",
        Value::Array(_) => return,
        Value::Object(fields) => {
            for (name, value) in fields {
                note(value, &format!("{at}/{name}"), found);
            }
            return;
        }
    };
    found.insert(at.to_owned(), kind);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Two pages of issues, with the token of the next page on the first one.
    fn tape(first: &Value, last: &Value) -> Vec<Exchange> {
        let exchange = |query: &Value, body: &Value| {
            serde_json::from_value(json!({
                "operation": "GET issues",
                "asked": { "method": "GET", "at": "https://a", "path": "/issues", "query": query, "headers": {}, "body": "empty" },
                "answered": { "status": 200, "headers": {}, "body": { "json": body } },
            }))
            .unwrap()
        };
        vec![
            exchange(&json!([]), first),
            exchange(&json!([["cursor", "p2"]]), last),
        ]
    }

    #[test]
    fn every_difference_between_the_fake_and_the_tape_is_named() {
        let real = tape(
            &json!({ "issues": [{ "key": "A", "labels": ["x"], "votes": 1 }], "next": "p2" }),
            &json!({ "issues": [{ "key": "B" }], "next": null }),
        );
        let fake = tape(
            &json!({ "issues": [{ "key": "A", "votes": "1", "made_up": true }], "next": "p2" }),
            &json!({ "issues": [{ "key": "B" }] }),
        );
        let Compared { wrong, missing } = compare(&real, &fake);
        assert_eq!(
            wrong,
            [
                "`GET issues` /issues/*/made_up is a boolean, and not on the tape at all",
                "`GET issues` /issues/*/votes is a string, and a number on the tape",
                "`GET issues` /next of the last page is missing, and null on the tape",
            ]
        );
        assert_eq!(missing, ["`GET issues` /issues/*/labels"]);
        let same = compare(&real, &real);
        assert!(same.wrong.is_empty() && same.missing.is_empty(), "{same:?}");

        let mut other = real.clone();
        other[0].operation = "GET tickets".to_owned();
        other[1].operation = "GET tickets".to_owned();
        let found = compare(&real, &other);
        assert_eq!(found.wrong, ["`GET tickets` is not on the tape"]);
        assert_eq!(found.missing, ["`GET issues`"]);
    }
}
