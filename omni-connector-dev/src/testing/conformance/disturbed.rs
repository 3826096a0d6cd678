//! Checks of runs that the manager disturbs.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use futures_util::{StreamExt, stream};
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict, causes,
    killed::AT_ONCE,
    undisturbed::undisturbed,
    victim::Victim,
    world::{State, World},
};
use crate::testing::{
    Ended,
    fault::{Fault, RetryAfter},
    journal::{Entry, Side},
    random::Random,
};

/// How late a slow answer of the manager is.
const LATE: Duration = Duration::from_millis(500);

/// How long a restarted manager is away.
const AWAY: Duration = Duration::from_millis(300);

pub(super) async fn manager_faults(suite: &Conformance) -> Result<Verdict> {
    let (expected, calls) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let mut routes: BTreeMap<String, usize> = BTreeMap::new();
    for entry in calls.iter().filter(|entry| entry.side == Side::Manager) {
        *routes.entry(entry.route.clone()).or_default() += 1;
    }
    let faults = [
        Fault::Refused,
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::Truncated,
        Fault::Html,
        Fault::Answer(429, Some(RetryAfter::Seconds(1))),
        Fault::Answer(503, None),
        Fault::Late(LATE),
    ];
    let mut cases: Vec<_> = routes
        .into_iter()
        .flat_map(|(route, calls)| {
            let faults = faults.clone().into_iter();
            faults.map(move |fault| (route.clone(), calls - 1, fault))
        })
        .collect();
    Random::new(41).leave(suite.boundaries.min(21), &mut cases);
    let (tried, expected) = (cases.len(), &expected);
    let trials = cases.into_iter().map(|(route, number, fault)| async move {
        let (broken, kind) = (route.clone(), format!("{fault:?}"));
        let breaks = move |side: Side, route: &str, called: usize| {
            (side == Side::Manager && route == broken && called == number).then(|| fault.clone())
        };
        let world = World::start(suite, Victim::default(), breaks).await?;
        let ended = world.run(SyncType::Full).await;
        let failure = Failure::new("a fault of the manager loses something").fact(
            "broken",
            format!("call {} of `{route}`: {kind}", number + 1),
        );
        let Some(failure) = lost(&world, ended, expected, failure).await? else {
            return anyhow::Ok(None);
        };
        Ok(Some(
            failure.store(world.keep(Check::ManagerFaults, &route).await),
        ))
    });
    let mut trials = stream::iter(trials).buffer_unordered(AT_ONCE);
    while let Some(trial) = trials.next().await {
        if let Some(failure) = trial? {
            return Ok(Verdict::Failed(failure));
        }
    }
    if let Some(failure) = restarted(suite, expected, &calls).await? {
        return Ok(Verdict::Failed(failure));
    }
    Ok(Verdict::Passed(format!("{tried} faults, and a restart")))
}

/// Restarts the manager in the middle of a run.
async fn restarted(
    suite: &Conformance,
    expected: &State,
    calls: &[Entry],
) -> Result<Option<Failure>> {
    let calls: Vec<_> = calls
        .iter()
        .filter(|call| call.side == Side::Manager)
        .collect();
    let Some(at) = calls.get(calls.len() / 2).map(|call| Entry::clone(call)) else {
        return Ok(None);
    };
    let middle = format!(
        "the manager, after call {} of `{}`",
        at.number + 1,
        at.route
    );
    let (reached, mut was_reached) = tokio::sync::watch::channel(false);
    let action: crate::testing::Action = std::sync::Arc::new(move || {
        let _ = reached.send(true);
    });
    let breaks = move |side: Side, route: &str, number: usize| {
        (side == at.side && route == at.route && number == at.number)
            .then(|| Fault::AnswerThenDo(action.clone()))
    };
    let mut world = World::start(suite, Victim::default(), breaks).await?;
    let (run, starts) = world.setup.started(SyncType::Full).await?;
    let patience = super::world::PATIENCE;
    let _ = tokio::time::timeout(patience, was_reached.wait_for(|reached| *reached)).await;
    world.setup.manager.restart(AWAY).await?;
    let ended = world.setup.end_of(&run, starts, patience).await;
    let failure =
        Failure::new("a restart of the manager loses something").fact("restarted", middle);
    let Some(failure) = lost(&world, ended, expected, failure).await? else {
        return Ok(None);
    };
    let store = world.keep(Check::ManagerFaults, "restart").await;
    Ok(Some(failure.store(store)))
}

/// Adds to a failure what a disturbed run did not bring; none if it brought everything.
async fn lost(
    world: &World,
    ended: Result<Ended>,
    expected: &State,
    failure: Failure,
) -> Result<Option<Failure>> {
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => return Ok(Some(failure.fact("then", format!("{error:#}")))),
    };
    if !ended.is_completed() {
        let message = ended.message().unwrap_or_default().to_owned();
        return Ok(Some(failure.fact("error", message)));
    }
    let found = world.state().await?;
    if found.differences(expected).is_empty() {
        return Ok(None);
    }
    let calls = world.journal.entries();
    Ok(Some(causes::explained(failure, &calls, expected, &found)))
}
