//! Checks of runs whose source fails or returns unusual pages.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use futures_util::{StreamExt, stream};
use omni_connector::SyncType;
use serde_json::Value;

use super::{
    Check, Conformance, Failure, Verdict, causes,
    killed::{AT_ONCE, undisturbed},
    world::{Attempt, State, Victim, World},
};
use crate::testing::{
    fault::{Fault, RetryAfter},
    journal::{Entry, Side},
    source::Change,
    wire::Answer,
};

/// The calls that a fault affects.
#[derive(Debug, Clone)]
struct Case {
    name: &'static str,
    fault: Fault,
    route: String,
    number: usize,
    /// Whether all later calls of the route fail as well.
    for_good: bool,
}

impl Case {
    fn hits(&self, side: Side, route: &str, number: usize) -> bool {
        let is_number = number == self.number || (self.for_good && number > self.number);
        side == Side::Source && route == self.route && is_number
    }

    fn text(&self) -> String {
        let often = if self.for_good {
            "and all later ones"
        } else {
            "once"
        };
        format!(
            "call {} of `{}`, {often}: {}",
            self.number + 1,
            self.route,
            self.name
        )
    }
}

fn cases(calls: &[Entry]) -> Vec<Case> {
    let calls: Vec<_> = calls
        .iter()
        .filter(|entry| entry.side == Side::Source)
        .collect();
    let Some(last) = calls.len().checked_sub(1) else {
        return Vec::new();
    };
    let empty = |_: Answer| Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: b"{}".to_vec(),
    };
    let faults = [
        (
            "429 with seconds",
            Fault::Answer(429, Some(RetryAfter::Seconds(1))),
            false,
        ),
        (
            "429 with a date",
            Fault::Answer(429, Some(RetryAfter::Date(2))),
            false,
        ),
        ("429 without a time", Fault::Answer(429, None), false),
        ("401", Fault::Answer(401, None), false),
        ("500", Fault::Answer(500, None), false),
        ("503", Fault::Answer(503, None), false),
        ("a reset connection", Fault::ResetBefore, false),
        ("an answer that breaks off", Fault::Truncated, false),
        ("HTML with 200", Fault::Html, true),
        (
            "an empty object with 200",
            Fault::Replace(Arc::new(empty)),
            true,
        ),
        ("an answer that never comes", Fault::Stalled, false),
        ("401", Fault::Answer(401, None), true),
        ("500", Fault::Answer(500, None), true),
        ("403", Fault::Answer(403, None), true),
    ];
    let mut cases = Vec::new();
    for (index, (name, fault, for_good)) in faults.into_iter().enumerate() {
        let mut places = vec![[0, last / 2, last][index % 3]];
        if for_good {
            places = vec![0, last];
        }
        places.dedup();
        for place in places {
            cases.push(Case {
                name,
                fault: fault.clone(),
                route: calls[place].route.clone(),
                number: calls[place].number,
                for_good,
            });
        }
    }
    cases
}

pub(super) async fn source_faults(suite: &Conformance) -> Result<Verdict> {
    let (expected, calls) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let cases = cases(&calls);
    if cases.is_empty() {
        return Ok(Verdict::LeftOut("the connector calls no source".to_owned()));
    }
    let usual = calls
        .iter()
        .filter(|entry| entry.side == Side::Source)
        .count();
    let (tried, expected) = (cases.len(), &expected);
    let trials = cases
        .into_iter()
        .map(|case| async move { faulty(suite, case, expected, usual).await });
    let mut trials = stream::iter(trials).buffer_unordered(AT_ONCE);
    while let Some(trial) = trials.next().await {
        if let Some(failure) = trial? {
            return Ok(Verdict::Failed(failure));
        }
    }
    Ok(Verdict::Passed(format!(
        "{tried} faults, each in a first run and in one with documents"
    )))
}

async fn faulty(
    suite: &Conformance,
    case: Case,
    expected: &State,
    usual: usize,
) -> Result<Option<Failure>> {
    let broken = case.clone();
    let breaks = move |side: Side, route: &str, number: usize| {
        broken
            .hits(side, route, number)
            .then(|| broken.fault.clone())
    };
    let world = World::start(suite, Victim::default(), breaks).await?;
    let failed = |what: &str| Failure::new(what).fact("broken", case.text());
    // Test the fault in a first run, and in one that could delete.
    for has_documents in [false, true] {
        world.arm(true);
        let calls = world.calls().len();
        let ended = world.attempt(SyncType::Full).await?;
        let calls = world.calls().len() - calls;
        let found = world.state().await?;
        let lost: Vec<_> = found.documents.differences(&expected.documents);
        let failure = match ended {
            Attempt::Hangs(message) => Some(failed("a run hangs when the source fails").fact("then", message)),
            _ if calls > usual * 3 + 20 => Some(
                failed("the source is asked again and again")
                    .fact("calls", format!("{calls}; {usual} in an undisturbed run"))
                    .help("call the source through `Api`, which waits longer each time and gives up"),
            ),
            attempt if attempt.is_flawless() && !lost.is_empty() && !has_documents => Some(
                failed("a run is completed without what the source did not give, and reports no failure")
                    .fact("missing", lost.join("\n"))
                    .help("pass the error on with `?`, or report the item with `ctx.item_failed`"),
            ),
            _ if has_documents && lost.iter().any(|line| line.ends_with("is missing")) => Some(
                failed("documents were deleted that the source did not say are gone")
                    .fact("deleted", lost.join("\n"))
                    .help("delete only what `Listing::finish` or `Walk::finish` says after a walk without an error"),
            ),
            _ => None,
        };
        if let Some(failure) = failure {
            return Ok(Some(
                failure.store(world.keep(Check::SourceFaults, case.name).await),
            ));
        }
        world.arm(false);
        let ended = world.attempt(SyncType::Full).await?;
        let differences = world.state().await?.differences(expected);
        if !ended.is_completed() || !differences.is_empty() {
            let failure = failed("the run after the fault does not bring everything")
                .fact("error", ended.error())
                .fact("missing", differences.join("\n"));
            return Ok(Some(
                failure.store(world.keep(Check::SourceFaults, case.name).await),
            ));
        }
    }
    Ok(None)
}

pub(super) async fn walks(suite: &Conformance) -> Result<Verdict> {
    let (expected, calls) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let mut tried = Vec::new();
    let mut left_out = Vec::new();

    for (change, page, what, help) in [
        (
            Change::UnevenPages,
            "a short page",
            "a page that is shorter than asked for ends the walk",
            "go on until the source says that there is no next page",
        ),
        (
            Change::EmptyPage,
            "an empty page",
            "a page without items ends the walk, though there is a next page",
            "go on while the source gives a token or a link, whatever a page holds",
        ),
    ] {
        let world = World::calm(suite).await?;
        if let Err(unable) = world.change(&change) {
            left_out.push(unable.to_string());
            continue;
        }
        let ended = world.run(SyncType::Full).await?;
        let found = world.state().await?;
        if !ended.is_completed() || !found.differences(&expected).is_empty() {
            let failure = Failure::new(what);
            let failure = match ended.message() {
                Some(error) => failure.fact("error", error),
                None => failure,
            };
            let calls = world.journal.entries();
            let failure = causes::explained(failure, &calls, &expected, &found).help(help);
            return Ok(Verdict::Failed(
                failure.store(world.keep(Check::Walks, page).await),
            ));
        }
        tried.push(page);
    }

    let next = world_of_tokens(suite);
    for (path, pointer) in next {
        let route = format!("GET {path}");
        if calls.iter().filter(|entry| entry.route == route).count() < 3 {
            left_out.push(format!("`{path}` has fewer than three pages"));
            continue;
        }
        let route_of_list = route.clone();
        let first: Arc<Mutex<Option<Value>>> = Arc::default();
        let breaks = move |side: Side, route: &str, _: usize| {
            let is_list = side == Side::Source && route == route_of_list;
            let (pointer, first) = (pointer.clone(), Arc::clone(&first));
            is_list
                .then(|| Fault::Replace(Arc::new(move |answer| repeated(answer, &pointer, &first))))
        };
        let world = World::start(suite, Victim::default(), breaks).await?;
        world.arm(false);
        world.run(SyncType::Full).await?;
        world.arm(true);
        let failed = |what: &str| {
            Failure::new(what).fact("broken", format!("`{path}` gives the same token for ever"))
        };
        let failure = match world
            .attempt_within(SyncType::Full, std::time::Duration::from_secs(15))
            .await?
        {
            Attempt::Hangs(message) => Some(
                failed("a token that is repeated makes the walk endless").fact("then", message),
            ),
            Attempt::Ended(_) | Attempt::Refused(_) => {
                let lost = world
                    .state()
                    .await?
                    .documents
                    .differences(&expected.documents);
                let is_lost = lost.iter().any(|line| line.ends_with("is missing"));
                is_lost.then(|| {
                    failed("a walk that came to no end deletes documents")
                        .fact("deleted", lost.join("\n"))
                })
            }
        };
        if let Some(failure) = failure {
            return Ok(Verdict::Failed(
                failure
                    .help("remember the tokens of a walk, as `Pages` does, and fail when one comes again")
                    .store(world.keep(Check::Walks, "token").await),
            ));
        }
        tried.push("a repeated token");
    }
    left_out.dedup();
    Ok(match tried[..] {
        [] => Verdict::LeftOut(left_out.join("; ")),
        _ => Verdict::Passed(tried.join(", ")),
    })
}

fn world_of_tokens(suite: &Conformance) -> Vec<(String, String)> {
    suite
        .source
        .as_ref()
        .map(|start| start().next_pages())
        .unwrap_or_default()
}

/// Returns the answer with the token of the first answer that had one.
fn repeated(mut answer: Answer, pointer: &str, first: &Mutex<Option<Value>>) -> Answer {
    let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else {
        return answer;
    };
    let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
    let token = match (&*first, body.pointer(pointer)) {
        (Some(token), _) => token.clone(),
        (None, Some(token)) => {
            *first = Some(token.clone());
            return answer;
        }
        (None, None) => return answer,
    };
    if let Some((parent, key)) = pointer.rsplit_once('/')
        && let Some(parent) = body.pointer_mut(parent)
    {
        parent[key] = token;
    }
    answer.body = body.to_string().into_bytes();
    answer
}
