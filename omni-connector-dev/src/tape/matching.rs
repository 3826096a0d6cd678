//! Finds the exchanges of a request: the same method, path, parameters and body, in any order.

use std::{collections::BTreeSet, fmt};

use omni_connector::{
    http::{Asked, Exchange, Recorded, TapeHead},
    redact,
};
use serde_json::Value;

const STAND_IN: &str = Exchange::STAND_IN;

/// How requests are compared.
#[derive(Debug)]
pub(super) struct Matching {
    /// Names of parameters and fields that are ignored.
    pub(super) volatile: Vec<String>,
    /// The numbers of stand-ins that the source gave.
    given: BTreeSet<String>,
}

/// A request that is not on the tape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRecorded {
    /// The request.
    pub asked: String,
    /// The most similar recorded request, with the differences.
    pub nearest: Option<(String, Vec<String>)>,
}

impl fmt::Display for NotRecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the tape has no answer to `{}`", self.asked)?;
        match &self.nearest {
            Some((nearest, differences)) => write!(
                f,
                "; the nearest request is `{nearest}`: {}",
                differences.join(", ")
            ),
            None => f.write_str("; it has no answers at all"),
        }
    }
}

impl Matching {
    pub(super) fn of(head: &TapeHead) -> Self {
        Self {
            volatile: Vec::new(),
            given: head.given.iter().map(ToString::to_string).collect(),
        }
    }

    /// Returns the numbers of all exchanges with this request.
    pub(super) fn find(
        &self,
        exchanges: &[Exchange],
        asked: &Asked,
    ) -> Result<Vec<usize>, NotRecorded> {
        let compared: Vec<_> = exchanges
            .iter()
            .map(|exchange| self.differences(&exchange.asked, asked))
            .collect();
        let fitting = (0..compared.len()).filter(|number| compared[*number].is_empty());
        let fitting: Vec<_> = fitting.collect();
        if !fitting.is_empty() {
            return Ok(fitting);
        }
        let distance = |number: &usize| {
            let recorded = &exchanges[*number].asked;
            let common = recorded.path.bytes().zip(asked.path.bytes());
            let common = common.take_while(|(one, other)| one == other).count();
            let is_other_path = recorded.path != asked.path;
            (
                is_other_path,
                recorded.method != asked.method,
                compared[*number].len(),
                usize::MAX - common,
            )
        };
        let nearest = (0..exchanges.len()).min_by_key(distance);
        Err(NotRecorded {
            asked: shown(&self.without_secrets(asked, exchanges)),
            nearest: nearest
                .map(|number| (shown(&exchanges[number].asked), compared[number].clone())),
        })
    }

    /// Hides the parameters that are secrets on the tape.
    fn without_secrets(&self, asked: &Asked, exchanges: &[Exchange]) -> Asked {
        let recorded = || exchanges.iter().flat_map(|exchange| &exchange.asked.query);
        let is_secret =
            |name: &str| recorded().any(|(other, value)| other == name && self.has_secret(value));
        let mut asked = asked.clone();
        for (name, value) in &mut asked.query {
            if is_secret(name) {
                "[redacted]".clone_into(value);
            }
        }
        asked
    }

    /// Describes how a request differs from a recorded one; empty if it does not.
    fn differences(&self, recorded: &Asked, asked: &Asked) -> Vec<String> {
        let mut found = Vec::new();
        if recorded.method != asked.method {
            found.push(format!(
                "the method is {} instead of {}",
                asked.method, recorded.method
            ));
        }
        if !self.is_same(&recorded.path, &asked.path) {
            found.push(format!(
                "the path is `{}` instead of `{}`",
                asked.path, recorded.path
            ));
        }
        self.compare(&recorded.query, &asked.query, &mut found);
        let headers = |asked: &Asked| asked.headers.clone().into_iter().collect::<Vec<_>>();
        self.compare(&headers(recorded), &headers(asked), &mut found);
        match (&recorded.body, &asked.body) {
            (Recorded::Streamed, _) => {}
            (Recorded::Form(recorded), Recorded::Form(asked)) => {
                self.compare(recorded, asked, &mut found);
            }
            (Recorded::Json(recorded), Recorded::Json(asked)) => {
                let (mut before, mut now) = (Vec::new(), Vec::new());
                leaves(recorded, "", &mut before);
                leaves(asked, "", &mut now);
                self.compare(&before, &now, &mut found);
            }
            (Recorded::Text(recorded), Recorded::Text(asked)) if self.is_same(recorded, asked) => {}
            (recorded, asked) if recorded == asked => {}
            _ => found.push("the body differs".to_owned()),
        }
        found
    }

    /// Compares parameters or fields as sets.
    fn compare(
        &self,
        recorded: &[(String, String)],
        asked: &[(String, String)],
        found: &mut Vec<String>,
    ) {
        let is_compared = |name: &str| {
            let last = name.rsplit('/').next().unwrap_or(name);
            !self
                .volatile
                .iter()
                .any(|volatile| volatile == last || volatile == name)
        };
        let names: BTreeSet<_> = recorded.iter().chain(asked).map(|(name, _)| name).collect();
        for name in names.into_iter().filter(|name| is_compared(name)) {
            let of = |all: &[(String, String)]| {
                let values = all.iter().filter(|(other, _)| other == name);
                let mut values: Vec<_> = values.map(|(_, value)| value.clone()).collect();
                values.sort();
                values
            };
            let (before, now) = (of(recorded), of(asked));
            let pairs = before.iter().zip(&now);
            let is_same = before.len() == now.len()
                && pairs
                    .into_iter()
                    .all(|(before, now)| self.is_same(before, now));
            if !is_same {
                let list = |values: &[String]| match values {
                    [] => "missing".to_owned(),
                    values => format!("`{}`", values.join("`, `")),
                };
                found.push(format!(
                    "`{name}` is {} instead of {}",
                    list(&now),
                    list(&before)
                ));
            }
        }
    }

    /// Returns whether a recorded value has a secret of the connector.
    fn has_secret(&self, recorded: &str) -> bool {
        let mut pieces = recorded.split(STAND_IN).skip(1);
        pieces.any(|piece| !self.given.contains(digits(piece)))
    }

    /// Compares two values. A secret of the connector may have any value.
    fn is_same(&self, recorded: &str, asked: &str) -> bool {
        // The parts between secrets of the connector.
        let mut parts = vec![String::new()];
        let mut pieces = recorded.split(STAND_IN);
        parts[0] += pieces.next().unwrap_or_default();
        for piece in pieces {
            let number = digits(piece);
            if self.given.contains(number) {
                let last = parts.len() - 1;
                parts[last].extend([STAND_IN, piece]);
            } else {
                parts.push(piece[number.len()..].to_owned());
            }
        }
        let [first, middle @ .., last] = &parts[..] else {
            return recorded == asked;
        };
        let Some(mut rest) = asked.strip_prefix(first.as_str()) else {
            return false;
        };
        for part in middle {
            match rest.split_once(part.as_str()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

fn digits(text: &str) -> &str {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    &text[..count]
}

/// Lists the values of a JSON value with their pointers. Empty lists and objects count as values.
pub(crate) fn leaves(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                leaves(value, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (number, item) in items.iter().enumerate() {
                leaves(item, &format!("{at}/{number}"), found);
            }
        }
        Value::String(text) => found.push((at.to_owned(), text.clone())),
        other => found.push((at.to_owned(), other.to_string())),
    }
}

fn shown(asked: &Asked) -> String {
    let query: Vec<_> = asked
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{}", query.join("&"))
    };
    redact(&format!("{} {}{query}", asked.method, asked.path)).into_owned()
}
