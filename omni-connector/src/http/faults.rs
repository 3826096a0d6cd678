//! Planned faults for the next calls of an operation: *fail like this* on the development page. Only a process that `cargo omni`
//! started accepts them.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use axum::http::{HeaderValue, header};
use bytes::Bytes;
use reqwest::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most faults that can be planned at the same time.
const MOST: usize = 100;
/// The text in the body of an injected answer, and in the error of an injected break.
const MADE_UP: &str = "made up by `fail like this` of the development page";

static PLANNED: Mutex<Vec<PlannedFault>> = Mutex::new(Vec::new());
/// Whether any fault is planned. Without one, a call only reads this flag.
static IS_ANY: AtomicBool = AtomicBool::new(false);

/// A fault for the next calls of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFault {
    /// The operation, as requests name it.
    pub operation: String,
    /// The fault.
    pub fault: Fault,
    /// The number of attempts that fail.
    pub times: u32,
}

/// A fault of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// The answer is 429 with `Retry-After: 2`.
    TooManyRequests,
    /// The answer is 500.
    ServerError,
    /// The request is sent, and reading its answer fails.
    BrokenOff,
    /// The request is sent, and every list in its answer is replaced by an empty one.
    EmptyPage,
}

/// Plans a fault. Returns false if it would affect no attempt, or if too many are planned.
pub(crate) fn plan(fault: PlannedFault) -> bool {
    let mut planned = PLANNED.lock().unwrap_or_else(PoisonError::into_inner);
    if planned.len() == MOST || fault.times == 0 {
        return false;
    }
    planned.push(fault);
    IS_ANY.store(true, Ordering::Release);
    true
}

/// Takes the fault for the next attempt of an operation.
pub(super) fn take(operation: impl FnOnce() -> String) -> Option<Fault> {
    if !IS_ANY.load(Ordering::Acquire) {
        return None;
    }
    let operation = operation();
    let mut planned = PLANNED.lock().unwrap_or_else(PoisonError::into_inner);
    let index = planned.iter().position(|one| one.operation == operation)?;
    let fault = planned[index].fault;
    planned[index].times -= 1;
    if planned[index].times == 0 {
        planned.remove(index);
    }
    IS_ANY.store(!planned.is_empty(), Ordering::Release);
    Some(fault)
}

impl Fault {
    /// Returns the injected answer, for a fault that sends no request.
    pub(super) fn answer(self) -> Option<Response> {
        let status = match self {
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BrokenOff | Self::EmptyPage => return None,
        };
        let body = serde_json::json!({ "message": MADE_UP }).to_string();
        let mut answer = axum::http::Response::new(body);
        *answer.status_mut() = status;
        let json = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(header::CONTENT_TYPE, json);
        if self == Self::TooManyRequests {
            let pause = HeaderValue::from_static("2");
            answer.headers_mut().insert(header::RETRY_AFTER, pause);
        }
        Some(answer.into())
    }

    /// Returns the reason why reading the answer fails, for that fault.
    pub(super) fn broken_off(self) -> Option<String> {
        (self == Self::BrokenOff).then(|| format!("the answer broke off; {MADE_UP}"))
    }

    /// Empties every list in a JSON body, for that fault. Returns any other body unchanged.
    pub(super) fn change(self, body: Bytes) -> Bytes {
        if self != Self::EmptyPage {
            return body;
        }
        match serde_json::from_slice::<Value>(&body) {
            Ok(mut value) => {
                empty(&mut value);
                value.to_string().into()
            }
            Err(_) => body,
        }
    }
}

fn empty(value: &mut Value) {
    match value {
        Value::Array(items) => items.clear(),
        Value::Object(fields) => fields.values_mut().for_each(empty),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_happens_to_its_operation_as_often_as_it_was_planned() {
        let fault = PlannedFault {
            operation: "GET faults-of-this-test".to_owned(),
            fault: Fault::ServerError,
            times: 2,
        };
        assert!(plan(fault.clone()));
        assert_eq!(take(|| "GET another".to_owned()), None);
        assert_eq!(take(|| fault.operation.clone()), Some(Fault::ServerError));
        assert_eq!(take(|| fault.operation.clone()), Some(Fault::ServerError));
        assert_eq!(take(|| fault.operation.clone()), None);
        assert!(!plan(PlannedFault { times: 0, ..fault }));
    }

    #[test]
    fn every_list_of_an_empty_page_is_empty_and_its_other_fields_stay() {
        let body = Bytes::from_static(br#"{"items":[{"a":[1]}],"meta":{"next":"x","seen":[1]}}"#);
        let changed = Fault::EmptyPage.change(body.clone());
        let changed: Value = serde_json::from_slice(&changed).unwrap();
        let expected = serde_json::json!({ "items": [], "meta": { "next": "x", "seen": [] } });
        assert_eq!(changed, expected);
        assert_eq!(Fault::BrokenOff.change(body.clone()), body);
    }
}
