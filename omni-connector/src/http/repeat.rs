//! Makes a call of a run once more, for the development page. Only a process that `cargo omni` started keeps its latest calls.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use reqwest::Method;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    Call, Scope, SourceError,
    send::{ReplyForm, send_again},
    tape,
};
use crate::{
    redact::redact,
    run::{Exchange, millis},
};

/// Calls that are kept.
const KEPT: usize = 200;
/// The longest answer that is read, in bytes.
const LONGEST: u64 = 4 << 20;

static CALLS: Mutex<VecDeque<(RequestId, Call)>> = Mutex::new(VecDeque::new());

/// The identity of a call in the log of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestId {
    /// When the process began with the run, in milliseconds since 1970.
    pub began_ms: u64,
    /// The number of the call.
    pub number: u64,
}

/// The outcome of a call that was made once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// `ok`, or the kind of the error.
    pub outcome: String,
    /// The error.
    pub error: Option<String>,
    /// Milliseconds from the call to its end.
    pub took_ms: u64,
    /// The request and its answer, without secrets. None without an answer, and if the answer is long.
    pub exchange: Option<Exchange>,
}

/// Keeps a call that only reads, without the run that made it.
pub(super) fn keep(began_ms: u64, number: u64, call: &Call) {
    if !matches!(call.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return;
    }
    let mut call = call.clone();
    let scope = call.api.scope();
    let scope = Scope {
        run: None,
        metrics: scope.metrics.clone(),
        account: scope.account.clone(),
    };
    call.api = call.api.bound(scope, None);
    let mut calls = CALLS.lock().unwrap_or_else(PoisonError::into_inner);
    if calls.len() == KEPT {
        calls.pop_front();
    }
    calls.push_back((RequestId { began_ms, number }, call));
}

/// Makes a call once more. None if the process does not have it.
pub(crate) async fn repeat(id: RequestId) -> Option<Repeated> {
    let call = {
        let calls = CALLS.lock().unwrap_or_else(PoisonError::into_inner);
        let mut latest = calls.iter().rev();
        latest.find(|(known, _)| *known == id)?.1.clone()
    };
    let began = Instant::now();
    let (outcome, answer) = send_again(&call, ReplyForm::Answer(LONGEST)).await;
    let error = outcome.as_ref().err();
    Some(Repeated {
        outcome: error.map_or("ok", SourceError::outcome).to_owned(),
        error: error.map(|error| redact(&error.to_string()).into_owned()),
        took_ms: millis(began.elapsed()),
        exchange: answer.and_then(|answer| tape::exchange(&call, &answer)),
    })
}
