//! Checks of runs whose source fails.

use std::sync::Arc;

use anyhow::Result;
use futures_util::{StreamExt, stream};
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict,
    killed::AT_ONCE,
    undisturbed::undisturbed,
    unreachable::unreachable,
    victim::Victim,
    world::{Attempt, State, World},
};
use crate::testing::{
    fault::{Fault, RetryAfter},
    journal::{Entry, Side},
    random::Random,
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
        let all = [0, last / 2, last];
        let mut places = match for_good {
            _ if std::env::var("OMNI_TEST_FULL").is_ok() => all.to_vec(),
            true => vec![0, last],
            false => vec![all[index % 3]],
        };
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
    let mut cases = cases(&calls);
    Random::new(41).leave(suite.boundaries, &mut cases);
    if cases.is_empty() {
        return unreachable(suite).await;
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
