//! Changes of single answers on a tape. They make many tests out of one recording.

use std::{collections::BTreeSet, fmt};

use omni_connector::http::{Asked, Exchange, Recorded};
use serde_json::{Value, json};

use super::{RetryAfter, source::Unable};

/// A change of a tape. Exchanges and items are counted from 0, in the order of the tape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mutation {
    /// An item is missing in an answer: the exchange, and the item of its list.
    DropItem(usize, usize),
    /// A page is missing: its request gets the next page.
    DropPage(usize),
    /// The request for the next page gets this page again.
    RepeatPage(usize),
    /// The body breaks off in the middle.
    CutBody(usize),
    /// The answer has this status, and no items.
    Status(usize, u16),
    /// The answer is a page of HTML with status 200.
    Html(usize),
    /// The list of an answer is empty.
    Empty(usize),
    /// The first answer is 429 with this header.
    Throttle(usize, RetryAfter),
    /// An item is added before the next page is read: it begins with the last item of this page.
    Shift(usize),
    /// Every request for this path is refused with 403.
    Forbid(String),
    /// A field has another name, such as `/issues/*/title`, where `*` is every item.
    RenameField(String),
    /// A field is null.
    NullField(String),
}

/// What must follow from a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consequence {
    /// A run brings everything.
    Nothing,
    /// The source fails, or its answer is odd: nothing is deleted, and what is missing is named.
    Failure,
    /// The source has fewer items: at most what is missing for a new connector is deleted.
    Loss,
}

impl Mutation {
    pub(super) const fn consequence(&self) -> Consequence {
        match self {
            Self::Shift(_) => Consequence::Nothing,
            Self::DropItem(..) | Self::DropPage(_) | Self::Empty(_) => Consequence::Loss,
            _ => Consequence::Failure,
        }
    }

    /// Returns the exchange that it changes, unless it changes several.
    const fn exchange(&self) -> Option<usize> {
        match self {
            Self::DropItem(number, _)
            | Self::DropPage(number)
            | Self::RepeatPage(number)
            | Self::CutBody(number)
            | Self::Status(number, _)
            | Self::Html(number)
            | Self::Empty(number)
            | Self::Throttle(number, _)
            | Self::Shift(number) => Some(*number),
            Self::Forbid(_) | Self::RenameField(_) | Self::NullField(_) => None,
        }
    }

    /// Applies it. The error says why it does not fit.
    pub(super) fn apply(&self, exchanges: &mut Vec<Exchange>) -> Result<(), Unable> {
        let unable = |why: &str| Unable(format!("{self} is not possible: {why}"));
        if self
            .exchange()
            .is_some_and(|number| number >= exchanges.len())
        {
            return Err(unable("the tape has fewer exchanges"));
        }
        let next = match self {
            Self::DropPage(number) | Self::RepeatPage(number) | Self::Shift(number) => {
                let next = next_page(exchanges, *number);
                next.ok_or_else(|| unable("it has no next page"))?
            }
            _ => 0,
        };
        match self {
            Self::DropItem(number, item) => {
                let items = items(&mut exchanges[*number]);
                let items = items.filter(|items| *item < items.len());
                items
                    .ok_or_else(|| unable("it has fewer items"))?
                    .remove(*item);
            }
            Self::DropPage(number) => {
                exchanges[*number].answered = exchanges[next].answered.clone();
            }
            Self::RepeatPage(number) => {
                exchanges[next].answered = exchanges[*number].answered.clone();
            }
            Self::CutBody(number) => {
                let body = &mut exchanges[*number].answered.body;
                let bytes = body.bytes();
                let half = String::from_utf8_lossy(&bytes[..bytes.len() / 2]).into_owned();
                *body = Recorded::Text(half);
            }
            Self::Status(number, status) => fail(&mut exchanges[*number], *status),
            Self::Html(number) => {
                let answered = &mut exchanges[*number].answered;
                answered.status = 200;
                answered.headers = [("content-type".to_owned(), "text/html".to_owned())].into();
                answered.body =
                    Recorded::Text("<html><body>Please sign in</body></html>".to_owned());
            }
            Self::Empty(number) => {
                let items = items(&mut exchanges[*number]);
                items.ok_or_else(|| unable("it has no list"))?.clear();
            }
            Self::Throttle(number, wait) => {
                let mut busy = exchanges[*number].clone();
                fail(&mut busy, 429);
                busy.answered
                    .headers
                    .insert("retry-after".to_owned(), wait.header());
                exchanges.insert(*number, busy);
            }
            Self::Shift(number) => {
                let last = items(&mut exchanges[*number]).and_then(|items| items.last().cloned());
                if let (Some(last), Some(items)) = (last, items(&mut exchanges[next])) {
                    items.insert(0, last);
                }
            }
            Self::Forbid(path) => {
                let asked = exchanges.iter_mut().filter(|one| one.asked.path == *path);
                asked.for_each(|one| fail(one, 403));
            }
            Self::RenameField(field) => each_field(exchanges, field, &mut |object, name| {
                if let Some(value) = object.get_mut(name).map(Value::take) {
                    object[format!("{name}_renamed")] = value;
                    object.as_object_mut().map(|fields| fields.remove(name));
                }
            }),
            Self::NullField(field) => each_field(exchanges, field, &mut |object, name| {
                if object.get(name).is_some() {
                    object[name] = Value::Null;
                }
            }),
        }
        Ok(())
    }
}

/// Returns every mutation that fits a tape.
pub(super) fn all(exchanges: &[Exchange]) -> Vec<Mutation> {
    let mut all = Vec::new();
    let (mut paths, mut fields) = (BTreeSet::new(), BTreeSet::new());
    for (number, exchange) in exchanges.iter().enumerate() {
        if !(200..300).contains(&exchange.answered.status) {
            continue;
        }
        paths.insert(exchange.asked.path.clone());
        all.extend([
            Mutation::Status(number, 500),
            Mutation::Html(number),
            Mutation::Throttle(number, RetryAfter::Seconds(1)),
        ]);
        if matches!(exchange.answered.body, Recorded::Json(_)) {
            all.push(Mutation::CutBody(number));
        }
        let Some(pointer) = list_of(exchange) else {
            continue;
        };
        all.extend([Mutation::DropItem(number, 0), Mutation::Empty(number)]);
        if next_page(exchanges, number).is_some() {
            let pages = [Mutation::DropPage, Mutation::RepeatPage, Mutation::Shift];
            all.extend(pages.map(|mutation| mutation(number)));
        }
        let items = items(&mut exchange.clone()).cloned().unwrap_or_default();
        for name in items
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|item| item.keys())
        {
            fields.insert(format!("{pointer}/*/{name}"));
        }
    }
    all.extend(paths.into_iter().map(Mutation::Forbid));
    let fields = fields.into_iter();
    all.extend(fields.flat_map(|field| {
        [
            Mutation::RenameField(field.clone()),
            Mutation::NullField(field),
        ]
    }));
    all
}

fn fail(exchange: &mut Exchange, status: u16) {
    exchange.answered.status = status;
    exchange.answered.headers.clear();
    exchange.answered.body = Recorded::Json(json!({ "message": "a mutation of the tape" }));
}

/// Returns the pointer of the longest list of objects in an answer.
fn list_of(exchange: &Exchange) -> Option<String> {
    fn longest(value: &Value, at: &str, depth: usize, found: &mut Option<(usize, String)>) {
        match value {
            Value::Array(items)
                if items.first().is_some_and(Value::is_object)
                    && found.as_ref().is_none_or(|(most, _)| *most < items.len()) =>
            {
                *found = Some((items.len(), at.to_owned()));
            }
            Value::Object(fields) if depth < 5 => {
                for (name, value) in fields {
                    longest(value, &format!("{at}/{name}"), depth + 1, found);
                }
            }
            _ => {}
        }
    }
    let Recorded::Json(body) = &exchange.answered.body else {
        return None;
    };
    let mut found = None;
    longest(body, "", 0, &mut found);
    found.map(|(_, pointer)| pointer)
}

/// Returns the list of an answer.
pub(super) fn items(exchange: &mut Exchange) -> Option<&mut Vec<Value>> {
    let pointer = list_of(exchange)?;
    match &mut exchange.answered.body {
        Recorded::Json(body) => body.pointer_mut(&pointer)?.as_array_mut(),
        _ => None,
    }
}

/// Finds the exchange with the next page: it asks for a token or a link of this answer, or counts on.
pub(super) fn next_page(exchanges: &[Exchange], number: usize) -> Option<usize> {
    let page = &exchanges[number];
    let mut rest = page.clone();
    let count = items(&mut rest)?.drain(..).count();
    let outside = format!(
        "{:?} {}",
        rest.answered.headers,
        String::from_utf8_lossy(&rest.answered.body.bytes())
    );
    let before = parameters(&page.asked);
    let value_of = |name: &str| {
        before
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    };
    let leads = |(name, value): &(String, String)| {
        let was = value_of(name);
        let quoted = [
            format!("\"{value}\""),
            format!("{name}={value}&"),
            format!("{name}={value}\""),
            format!("{name}={value}>"),
        ];
        let is_named = was != Some(value) && quoted.iter().any(|text| outside.contains(text));
        let counts = |from: i64| {
            value.parse() == Ok(from + 1)
                || value.parse() == Ok(from + i64::try_from(count).unwrap_or(0))
        };
        is_named
            || match was.map(str::parse) {
                Some(Ok(was)) => counts(was),
                Some(Err(_)) => false,
                None => counts(0) || counts(1),
            }
    };
    (0..exchanges.len()).find(|other| {
        let asked = &exchanges[*other].asked;
        let is_same_list = asked.method == page.asked.method && asked.path == page.asked.path;
        *other != number
            && is_same_list
            && parameters(asked)
                .iter()
                .any(|parameter| value_of(&parameter.0) != Some(&parameter.1) && leads(parameter))
    })
}

/// Returns the parameters of a request, also those in its body.
fn parameters(asked: &Asked) -> Vec<(String, String)> {
    let mut all = asked.query.clone();
    if let Recorded::Json(body) = &asked.body {
        crate::tape::leaves(body, "", &mut all);
    }
    all
}

/// Changes a field such as `/issues/*/title` in all answers.
fn each_field(exchanges: &mut [Exchange], field: &str, change: &mut dyn FnMut(&mut Value, &str)) {
    fn descend(value: &mut Value, path: &[&str], change: &mut dyn FnMut(&mut Value, &str)) {
        match (path, value) {
            (["*", rest @ ..], Value::Array(items)) => {
                for item in items {
                    descend(item, rest, change);
                }
            }
            ([name], value) if value.is_object() => change(value, name),
            ([name, rest @ ..], value) => {
                if let Some(value) = value.get_mut(*name) {
                    descend(value, rest, change);
                }
            }
            _ => {}
        }
    }
    let path: Vec<_> = field.split('/').skip(1).collect();
    for exchange in exchanges {
        if let Recorded::Json(body) = &mut exchange.answered.body {
            descend(body, &path, change);
        }
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DropItem(number, item) => write!(f, "exchange {number} without item {item}"),
            Self::DropPage(number) => write!(f, "exchange {number} with the next page"),
            Self::RepeatPage(number) => {
                write!(f, "the page after exchange {number} is the same again")
            }
            Self::CutBody(number) => write!(f, "exchange {number} with half of its body"),
            Self::Status(number, status) => write!(f, "exchange {number} with status {status}"),
            Self::Html(number) => write!(f, "exchange {number} with HTML and status 200"),
            Self::Empty(number) => write!(f, "exchange {number} with an empty list"),
            Self::Throttle(number, _) => write!(f, "exchange {number} after a 429"),
            Self::Shift(number) => write!(
                f,
                "the last item of exchange {number} also on the next page"
            ),
            Self::Forbid(path) => write!(f, "403 for `{path}`"),
            Self::RenameField(field) => write!(f, "the field `{field}` with another name"),
            Self::NullField(field) => write!(f, "the field `{field}` with null"),
        }
    }
}
