//! Keeps the exchanges of a process without their secrets, and writes them as a tape.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::http::Response;
use bytes::Bytes;
use reqwest::{
    Request, Url,
    header::{CONTENT_TYPE, HeaderMap, SET_COOKIE},
};
use serde_json::Value;
use time::OffsetDateTime;

use super::{Answered, Asked, Exchange, Recorded, TapeHead, pseudonyms::Pseudonyms};
use crate::redact::StandIns;

/// The headers of answers that connectors read.
pub(super) const ANSWERED: [&str; 8] = [
    "content-disposition",
    "content-range",
    "content-type",
    "etag",
    "last-modified",
    "link",
    "location",
    "retry-after",
];
/// Parts of the names of headers that lead through a list.
const OF_LISTS: [&str; 5] = ["count", "cursor", "next", "page", "total"];

/// Records the exchanges of a process.
#[derive(Default)]
pub(super) struct Recorder(Mutex<State>);

#[derive(Default)]
struct State {
    stand_ins: StandIns,
    /// In the order of the requests; none until the answer has come.
    exchanges: Vec<Option<Exchange>>,
    left_out: BTreeSet<String>,
}

/// A request whose answer has not come yet.
pub(super) struct Pending {
    number: usize,
    operation: String,
    asked: Asked,
    /// Whether every field of the answer may be a secret.
    is_login: bool,
}

impl Recorder {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request, without its secrets.
    pub(super) fn asked(
        &self,
        request: &Request,
        operation: String,
        at: String,
        path: String,
    ) -> Pending {
        let mut state = self.state();
        let State {
            stand_ins,
            exchanges,
            left_out,
        } = &mut *state;
        stand_ins.set_answer(false);
        stand_ins.learn_met();
        let media_type = request.headers().get(CONTENT_TYPE);
        let media_type = media_type.map_or(&b""[..], |value| value.as_bytes());
        let body = match request.body().map(reqwest::Body::as_bytes) {
            None => Recorded::Empty,
            Some(None) => Recorded::Streamed,
            Some(Some(bytes)) => Recorded::of(
                bytes,
                media_type.starts_with(b"application/x-www-form-urlencoded"),
            ),
        };
        let is_login = matches!(&body, Recorded::Form(fields) if fields.iter().any(|(name, _)| name == "grant_type"));
        if let (true, Recorded::Form(fields)) = (is_login, &body) {
            for (name, value) in fields {
                stand_ins.learn_login_field(name, value);
            }
        }
        let asked = Asked {
            method: request.method().to_string(),
            at: stand_ins.clean(&at),
            path: stand_ins.clean(&path),
            query: query(request.url(), stand_ins),
            headers: headers(request.headers(), &Asked::HEADERS, stand_ins, left_out),
            body: clean(body, stand_ins),
        };
        exchanges.push(None);
        Pending {
            number: exchanges.len() - 1,
            operation: stand_ins.clean(&operation),
            asked,
            is_login,
        }
    }

    /// Keeps an answer, without its secrets.
    pub(super) fn answered(&self, pending: Pending, answer: &Response<Bytes>) {
        let mut state = self.state();
        let State {
            stand_ins,
            exchanges,
            left_out,
        } = &mut *state;
        stand_ins.set_answer(false);
        stand_ins.learn_met();
        stand_ins.set_answer(true);
        let body = Recorded::of(answer.body(), false);
        if let (true, Recorded::Json(answer)) = (pending.is_login, &body) {
            stand_ins.learn_login(answer);
        }
        for cookie in answer.headers().get_all(SET_COOKIE) {
            stand_ins.learn_cookie(cookie.to_str().unwrap_or_default());
        }
        let answered = Answered {
            status: answer.status().as_u16(),
            headers: headers(answer.headers(), &ANSWERED, stand_ins, left_out),
            body: clean(body, stand_ins),
        };
        exchanges[pending.number] = Some(Exchange {
            operation: pending.operation,
            asked: pending.asked,
            answered,
        });
    }

    /// Writes the tape. Exchanges are sorted by operation and request. Equal requests are in the order in which they
    /// were sent.
    ///
    /// # Errors
    /// Returns an error if a secret is left.
    pub(super) fn tape(&self, connector: &str, made_up: bool) -> Result<String, String> {
        let mut state = self.state();
        state.stand_ins.learn_met();
        let again = |mut value: Value| {
            let mut change = |text: &mut String| *text = state.stand_ins.clean_again(text);
            for part in ["asked", "answered"] {
                // Bytes cannot be changed. A secret in them is found below.
                let bytes = value[part]["body"].get_mut("bytes").map(Value::take);
                each_string(&mut value[part], &mut change);
                if let Some(bytes) = bytes {
                    value[part]["body"]["bytes"] = bytes;
                }
            }
            each_string(&mut value["operation"], &mut change);
            value
        };
        // Equal requests, with the answers in their order.
        let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut first: HashMap<String, usize> = HashMap::new();
        let exchanges = state.exchanges.iter().flatten();
        let exchanges = exchanges.map(|exchange| Ok(again(to_json(exchange)?)));
        let mut exchanges = exchanges.collect::<Result<Vec<_>, String>>()?;
        if made_up {
            exchanges = with_pseudonyms(exchanges)?;
        }
        for (number, exchange) in exchanges.into_iter().enumerate() {
            let key = exchange["asked"].to_string();
            first.entry(key.clone()).or_insert(number);
            groups.entry(key).or_default().push(exchange);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_cached_key(|(asked_exactly, exchanges)| {
            let all: Vec<_> = exchanges.iter().map(ToString::to_string).collect();
            let operation = exchanges[0]["operation"].to_string();
            let [asked, all] =
                [asked_exactly.clone(), all.concat()].map(|text| StandIns::without_numbers(&text));
            (operation, asked, all, first[asked_exactly])
        });
        let exchanges = groups.iter().flat_map(|(_, exchanges)| exchanges);
        let mut lines: Vec<_> = exchanges.map(ToString::to_string).collect();
        for line in &lines {
            if state.stand_ins.finds(line) {
                let operation =
                    &serde_json::from_str::<Value>(line).unwrap_or_default()["operation"];
                return Err(format!(
                    "the tape is not written: a secret is in the exchange {operation}, where it cannot be replaced"
                ));
            }
        }
        let (secrets, given) = state.stand_ins.renumber(&mut lines);
        let head = TapeHead {
            tape: TapeHead::VERSION,
            kit: env!("CARGO_PKG_VERSION").to_owned(),
            connector: connector.to_owned(),
            recorded: OffsetDateTime::now_utc().date().to_string(),
            secrets,
            given,
            left_out: state.left_out.clone(),
            made_up,
        };
        lines.insert(0, to_json(&head)?.to_string());
        Ok(lines.join("\n") + "\n")
    }
}

fn with_pseudonyms(exchanges: Vec<Value>) -> Result<Vec<Value>, String> {
    let exchanges = exchanges.into_iter().map(serde_json::from_value);
    let exchanges: Result<Vec<Exchange>, _> = exchanges.collect();
    let mut exchanges = exchanges.map_err(|error| error.to_string())?;
    Pseudonyms::apply(&mut exchanges);
    exchanges.iter().map(to_json).collect()
}

fn to_json(value: &impl serde::Serialize) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

/// Returns the parameters of a URL, sorted, without their secrets.
pub(super) fn query(url: &Url, stand_ins: &mut StandIns) -> Vec<(String, String)> {
    let mut query: Vec<_> = url.query_pairs().into_owned().collect();
    query.sort();
    for (name, value) in &mut query {
        *value = stand_ins.clean_field(name, value);
    }
    query
}

pub(super) fn headers(
    all: &HeaderMap,
    listed: &[&str],
    stand_ins: &mut StandIns,
    left_out: &mut BTreeSet<String>,
) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for name in all.keys() {
        let name = name.as_str();
        let leads = listed == ANSWERED && OF_LISTS.iter().any(|part| name.contains(part));
        if !listed.contains(&name) && !leads {
            left_out.insert(name.to_owned());
            continue;
        }
        let values: Vec<_> = all
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        kept.insert(
            name.to_owned(),
            stand_ins.clean_field(name, &values.join(", ")),
        );
    }
    kept
}

pub(super) fn clean(body: Recorded, stand_ins: &mut StandIns) -> Recorded {
    match body {
        Recorded::Json(mut value) => {
            stand_ins.clean_json(&mut value);
            Recorded::Json(value)
        }
        Recorded::Form(mut fields) => {
            for (name, value) in &mut fields {
                *value = stand_ins.clean_field(name, value);
            }
            Recorded::Form(fields)
        }
        Recorded::Text(text) => Recorded::Text(stand_ins.clean(&text)),
        other => other,
    }
}

fn each_string(value: &mut Value, change: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_string(item, change)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| each_string(field, change)),
        _ => {}
    }
}
