//! Checks of runs that the manager disturbs, or that must stop.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures_util::{StreamExt, stream};
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict, causes,
    killed::{AT_ONCE, undisturbed},
    victim::Victim,
    world::{State, World},
};
use crate::testing::{
    Ended,
    fault::{Fault, RetryAfter},
    journal::{Entry, Side},
    random::Random,
};

/// The time after the grace period in which a process must end.
const MARGIN: Duration = Duration::from_secs(6);

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
    let mut random = Random::new(41);
    while cases.len() > suite.boundaries.min(21) && std::env::var("OMNI_TEST_FULL").is_err() {
        cases.swap_remove(random.below(cases.len()));
    }
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

/// Returns the calls after which a run is stopped, or the reason why there are none.
fn to_stop_at(expected: &State, calls: &[Entry]) -> Result<Vec<Entry>, &'static str> {
    // Its few calls are made before it is answered that the run began.
    if expected.documents.is_empty() && !calls.iter().any(|call| call.side == Side::Source) {
        return Err("a run neither reads a source nor brings documents, so it is over at once");
    }
    let mut places = vec![calls.len() / 2, calls.len() * 3 / 4];
    places.dedup();
    let found: Vec<_> = places
        .into_iter()
        .filter_map(|place| calls.get(place).cloned())
        .collect();
    if found.is_empty() {
        return Err("a run makes no calls");
    }
    Ok(found)
}

/// Asks the process to end in some runs, and cancels others, each after one of its calls.
pub(super) async fn stops(suite: &Conformance) -> Result<Verdict> {
    let (expected, calls) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let places = match to_stop_at(&expected, &calls) {
        Ok(places) => places,
        Err(reason) => return Ok(Verdict::LeftOut(reason.to_owned())),
    };
    let both = |at: &Entry| [(false, at.clone()), (true, at.clone())];
    let cases: Vec<_> = places.iter().flat_map(both).collect();
    let (tried, expected) = (cases.len(), &expected);
    let trials = cases
        .into_iter()
        .map(|(is_cancel, at)| async move { stopped(suite, is_cancel, at, expected).await });
    let mut trials = stream::iter(trials).buffer_unordered(AT_ONCE);
    while let Some(trial) = trials.next().await {
        if let Some(failure) = trial? {
            return Ok(Verdict::Failed(failure));
        }
    }
    Ok(Verdict::Passed(format!(
        "{tried} times, by SIGTERM and by a cancel"
    )))
}

/// Stops a run after a call. Returns what is wrong then.
async fn stopped(
    suite: &Conformance,
    is_cancel: bool,
    at: Entry,
    expected: &State,
) -> Result<Option<Failure>> {
    let route = at.route.clone();
    let victim = Victim::default();
    let terminate = victim.terminate();
    let (reached, was_reached) = tokio::sync::watch::channel(false);
    let action: crate::testing::Action = std::sync::Arc::new(move || {
        if !is_cancel {
            terminate();
        }
        let _ = reached.send(true);
    });
    let breaks = move |side: Side, route: &str, number: usize| {
        (side == at.side && route == at.route && number == at.number)
            .then(|| Fault::AnswerThenDo(action.clone()))
    };
    let world = World::start(suite, victim, breaks).await?;
    let what = if is_cancel {
        "a run is cancelled"
    } else {
        "the process is asked to end (SIGTERM)"
    };
    let failure = |problem: &str| {
        Failure::new(problem.to_owned()).fact("after", format!("{what} after `{route}`"))
    };
    let (run, _) = world.setup.started(SyncType::Full).await?;
    let mut was_reached = was_reached;
    let _ = tokio::time::timeout(
        super::world::PATIENCE,
        was_reached.wait_for(|reached| *reached),
    )
    .await;
    let since = Instant::now();
    if is_cancel {
        let _ = world.setup.manager.cancel(&run.id).await;
    }
    let gone = async {
        loop {
            let is_gone = if is_cancel {
                let url = format!("{}/sync/{}", world.setup.url(), run.id);
                let answer = crate::testing::setup::client().get(url).send().await;
                let answer = match answer {
                    Ok(answer) => answer.json::<serde_json::Value>().await.unwrap_or_default(),
                    Err(_) => serde_json::Value::Null,
                };
                answer["running"] != true
            } else {
                world.setup.process.has_ended()
            };
            if is_gone {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(MARGIN + Duration::from_secs(2), gone)
        .await
        .is_err()
    {
        return Ok(Some(failure(&format!(
            "the connector goes on for more than {:?}",
            since.elapsed()
        ))));
    }
    world.arm(false);
    if !is_cancel {
        world.setup.process.restart()?;
        world.setup.answers().await?;
        let _ = world.setup.manager.cancel(&run.id).await;
    }
    let ended = world.run(SyncType::Full).await?;
    let found = world.state().await?;
    if !ended.is_completed() || !found.differences(expected).is_empty() {
        let failure =
            Failure::new("the run after it does not bring everything").fact("after", what);
        let failure = match ended.message() {
            Some(error) => failure.fact("error", error),
            None => failure,
        };
        let calls = world.journal.entries();
        let failure = causes::explained(failure, &calls, expected, &found);
        let store = world
            .keep(Check::Stops, if is_cancel { "cancel" } else { "sigterm" })
            .await;
        return Ok(Some(failure.store(store)));
    }
    Ok(None)
}
