//! The log of a run's requests to its source: each call with its waits and attempts, and each walk over pages. Only a process
//! that `cargo omni` started keeps one, for the development page. It holds no secrets.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::exchange::Exchange;

/// Calls of a run that are kept; the oldest are dropped.
const KEPT: usize = 2_000;
/// Walks of a run that are kept; the oldest are dropped.
const KEPT_WALKS: usize = 200;
/// The longest exchange that is kept, in bytes of JSON.
const LONGEST_EXCHANGE: usize = 128 << 10;
/// Bytes of JSON of a run's exchanges that are kept; the oldest are dropped.
const KEPT_EXCHANGES: usize = 4 << 20;
/// The most operations that are counted by name.
const NAMED: usize = 100;
/// The name under which calls of all further operations are counted.
const OTHERS: &str = "other operations";

/// The requests of a run to its source. Served under `GET /sync/{id}/requests/{after}` by a process that `cargo omni` started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunRequests {
    /// When the process began with the run, in milliseconds since 1970. A process that resumes the run counts from zero.
    pub began_ms: u64,
    /// Calls that have ended.
    pub calls: u64,
    /// The cost of each operation.
    pub operations: BTreeMap<String, OperationCost>,
    /// The latest walks over pages.
    pub walks: Vec<SourceWalk>,
    /// The latest calls in the order of their ends.
    pub requests: Vec<SourceRequest>,
}

/// The total cost of one operation's calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each field counts what its name says")]
pub struct OperationCost {
    pub calls: u64,
    pub attempts: u64,
    pub failed: u64,
    pub bytes: u64,
    pub took_ms: u64,
    pub waited_ms: u64,
}

/// One call to a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceRequest {
    /// Counts up from 1, by the ends of the calls.
    pub number: u64,
    /// Its name, or the method and the path with ids replaced.
    pub operation: String,
    /// The method.
    pub method: String,
    /// The URL without secrets.
    pub url: String,
    /// The page of a walk.
    pub page: Option<u32>,
    /// The number of the walk.
    pub walk: Option<u64>,
    /// Milliseconds from [`began_ms`](RunRequests::began_ms) to the call.
    pub at_ms: u64,
    /// Milliseconds from the call to its end.
    pub took_ms: u64,
    /// Bytes of the answer.
    pub bytes: u64,
    /// `ok`, or the kind of the error.
    pub outcome: String,
    /// Waits and attempts in their order.
    pub steps: Vec<RequestStep>,
    /// The last request with its answer, without secrets. None without an answer, for a file, and if the exchange is long or old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
}

/// A wait or an attempt of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestStep {
    /// Milliseconds from [`began_ms`](RunRequests::began_ms).
    pub at_ms: u64,
    /// How long it took.
    pub took_ms: u64,
    /// What was waited for: `slot`, `pace`, `retry` or `credential`; none of an attempt.
    pub wait: Option<String>,
    /// The status of the answer; none of a wait, and of an attempt without an answer.
    pub status: Option<u16>,
    /// Why an attempt failed.
    pub error: Option<String>,
}

/// A walk over the pages of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceWalk {
    /// Counts up from 1.
    pub number: u64,
    /// The operation of its calls.
    pub operation: String,
    /// Pages that were read.
    pub pages: u32,
    /// Items on each page.
    pub items: Vec<u32>,
    /// How many items the source says there are.
    pub total: Option<u64>,
    /// Whether its end was proven.
    pub is_complete: bool,
    /// Why it ended without a proof.
    pub incomplete: Option<String>,
}

/// What a run has asked so far.
#[derive(Debug)]
pub(crate) struct RequestLog {
    began: Instant,
    began_ms: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    calls: u64,
    operations: BTreeMap<String, OperationCost>,
    walks: VecDeque<SourceWalk>,
    walked: u64,
    requests: VecDeque<SourceRequest>,
    /// The numbers of the requests whose exchange is kept, with its bytes.
    exchanges: VecDeque<(u64, usize)>,
    exchanged: usize,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            began_ms: SystemTime::UNIX_EPOCH.elapsed().map_or(0, millis),
            kept: Mutex::default(),
        }
    }
}

impl RequestLog {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds from the start of the log to an instant.
    pub(crate) fn at(&self, instant: Instant) -> u64 {
        millis(instant.saturating_duration_since(self.began))
    }

    /// When the process began with the run, in milliseconds since 1970.
    pub(crate) const fn began_ms(&self) -> u64 {
        self.began_ms
    }

    /// Keeps a call that has ended, and returns its number.
    pub(crate) fn note(&self, mut request: SourceRequest) -> u64 {
        let exchange = request.exchange.as_ref().map(serde_json::to_string);
        let bytes = exchange.and_then(Result::ok).map_or(0, |text| text.len());
        if bytes > LONGEST_EXCHANGE {
            request.exchange = None;
        }
        let mut kept = self.kept();
        kept.calls += 1;
        request.number = kept.calls;
        let is_known = kept.operations.contains_key(&request.operation);
        let name = if is_known || kept.operations.len() < NAMED {
            &request.operation
        } else {
            OTHERS
        };
        let cost = kept.operations.entry(name.to_owned()).or_default();
        let (waits, attempts): (Vec<_>, Vec<_>) =
            request.steps.iter().partition(|step| step.wait.is_some());
        cost.calls += 1;
        cost.attempts += attempts.len() as u64;
        cost.failed += u64::from(request.outcome != "ok");
        cost.bytes += request.bytes;
        cost.took_ms += request.took_ms;
        cost.waited_ms += waits.iter().map(|step| step.took_ms).sum::<u64>();
        if kept.requests.len() == KEPT {
            kept.requests.pop_front();
        }
        let number = request.number;
        let has_exchange = request.exchange.is_some();
        kept.requests.push_back(request);
        if has_exchange {
            kept.exchanges.push_back((number, bytes));
            kept.exchanged += bytes;
            kept.drop_old_exchanges();
        }
        number
    }

    /// Begins a walk, and gives its number.
    pub(crate) fn begin_walk(&self, operation: String) -> u64 {
        let mut kept = self.kept();
        kept.walked += 1;
        let number = kept.walked;
        if kept.walks.len() == KEPT_WALKS {
            kept.walks.pop_front();
        }
        kept.walks.push_back(SourceWalk {
            number,
            operation,
            ..SourceWalk::default()
        });
        number
    }

    /// Changes a walk that is kept.
    pub(crate) fn walk(&self, number: u64, change: impl FnOnce(&mut SourceWalk)) {
        let mut kept = self.kept();
        let walk = kept.walks.iter_mut().find(|walk| walk.number == number);
        if let Some(walk) = walk {
            change(walk);
        }
    }

    /// What is known, with the calls behind that number.
    pub(crate) fn after(&self, number: u64) -> RunRequests {
        let kept = self.kept();
        let behind = kept.requests.iter().filter(|one| one.number > number);
        RunRequests {
            began_ms: self.began_ms,
            calls: kept.calls,
            operations: kept.operations.clone(),
            walks: kept.walks.iter().cloned().collect(),
            requests: behind.cloned().collect(),
        }
    }
}

impl Kept {
    fn drop_old_exchanges(&mut self) {
        let first = self.requests.front().map_or(0, |first| first.number);
        while self.exchanged > KEPT_EXCHANGES {
            let Some((number, bytes)) = self.exchanges.pop_front() else {
                return;
            };
            self.exchanged -= bytes;
            // Numbers have no gaps. The request itself may be gone.
            let index = number
                .checked_sub(first)
                .and_then(|index| usize::try_from(index).ok());
            if let Some(request) = index.and_then(|index| self.requests.get_mut(index)) {
                request.exchange = None;
            }
        }
    }
}

/// Whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(operation: &str) -> SourceRequest {
        let step = |wait: Option<&str>| RequestStep {
            took_ms: 5,
            wait: wait.map(str::to_owned),
            ..RequestStep::default()
        };
        SourceRequest {
            operation: operation.to_owned(),
            outcome: "ok".to_owned(),
            steps: vec![step(Some("pace")), step(None)],
            ..SourceRequest::default()
        }
    }

    #[test]
    fn the_log_of_a_long_run_stays_small_and_its_sums_stay_true() {
        let log = RequestLog::default();
        for n in 0..KEPT * 2 {
            log.note(request(&format!("GET {}", n % 150)));
        }
        for _ in 0..KEPT_WALKS * 2 {
            log.begin_walk("GET issues".to_owned());
        }
        let all = log.after(0);
        assert_eq!(all.calls, KEPT as u64 * 2);
        assert_eq!((all.requests.len(), all.walks.len()), (KEPT, KEPT_WALKS));
        assert_eq!(all.operations.len(), NAMED + 1);
        let sum =
            |count: fn(&OperationCost) -> u64| all.operations.values().map(count).sum::<u64>();
        assert_eq!(sum(|cost| cost.attempts), all.calls);
        assert_eq!(sum(|cost| cost.waited_ms), all.calls * 5);
    }

    #[test]
    fn the_latest_exchanges_are_kept_up_to_a_number_of_bytes() {
        let exchange = |bytes: usize| {
            let body = serde_json::json!({ "text": "x".repeat(bytes) });
            serde_json::from_value::<Exchange>(serde_json::json!({
                "operation": "GET x",
                "asked": { "method": "GET", "at": "", "path": "/x", "query": [], "headers": {}, "body": "empty" },
                "answered": { "status": 200, "headers": {}, "body": body },
            }))
            .ok()
        };
        let log = RequestLog::default();
        let note = |bytes| {
            let exchange = exchange(bytes);
            assert!(exchange.is_some());
            log.note(SourceRequest {
                exchange,
                ..request("GET x")
            })
        };
        for _ in 0..100 {
            note(100 << 10);
        }
        let last = note(1 << 20);
        let all = log.after(0).requests;
        let kept = all.iter().filter(|one| one.exchange.is_some()).count();
        assert_eq!(kept, KEPT_EXCHANGES / ((100 << 10) + 150));
        assert!(all[99].exchange.is_some() && all[0].exchange.is_none());
        assert!(all[100].exchange.is_none() && last == 101, "it is too long");
    }

    #[test]
    fn a_caller_who_knows_a_number_gets_what_came_behind_it() {
        let log = RequestLog::default();
        for _ in 0..3 {
            log.note(request("GET issues"));
        }
        let numbers = log.after(2).requests;
        assert_eq!(
            numbers.iter().map(|one| one.number).collect::<Vec<_>>(),
            [3]
        );
    }
}
