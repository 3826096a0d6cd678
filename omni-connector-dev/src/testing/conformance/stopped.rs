//! Checks runs that must stop: a person cancels them, or the process is asked to end.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::{StreamExt, stream};
use omni_connector::SyncType;
use tokio::time::{sleep, sleep_until, timeout};

use super::{
    Check, Conformance, Failure, Verdict, causes,
    killed::AT_ONCE,
    undisturbed::undisturbed,
    victim::Victim,
    world::{PATIENCE, State, World},
};
use crate::testing::{
    Action,
    fault::Fault,
    journal::{Entry, Side},
    setup::client,
};

/// The time after the grace period in which a process must end.
const MARGIN: Duration = Duration::from_secs(6);
/// How long a call may be on its way when a cancel is accepted.
const UNDER_WAY: Duration = Duration::from_millis(250);
/// How long calls are watched after a cancel was accepted.
const WATCHED: Duration = Duration::from_millis(600);

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
    let action: Action = std::sync::Arc::new(move || {
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
    let _ = timeout(PATIENCE, was_reached.wait_for(|reached| *reached)).await;
    let is_accepted = is_cancel && world.setup.manager.cancel(&run.id).await.is_ok();
    let since = Instant::now();
    let gone = async {
        loop {
            let is_gone = if is_cancel {
                let url = format!("{}/sync/{}", world.setup.url(), run.id);
                let answer = client().get(url).send().await;
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
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(MARGIN + Duration::from_secs(2), gone)
        .await
        .is_err()
    {
        return Ok(Some(failure(&format!(
            "the connector goes on for more than {:?}",
            since.elapsed()
        ))));
    }
    if is_accepted {
        sleep_until((since + WATCHED).into()).await;
        let late = calls_after(&world, &run.id, since + UNDER_WAY);
        if !late.is_empty() {
            let failure = failure("a run that was cancelled goes on calling the manager")
                .fact("calls", late.join("\n"))
                .help("stop everything that the run has started, also its own tasks, when `ctx.cancelled()` is ready");
            return Ok(Some(failure.store(world.keep(Check::Stops, "late").await)));
        }
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

/// Lists the calls of a run to the manager that began after a time.
fn calls_after(world: &World, run: &str, since: Instant) -> Vec<String> {
    let mut calls = world.journal.entries();
    calls.retain(|call| {
        let is_of_run =
            call.path.contains(run) || String::from_utf8_lossy(&call.request).contains(run);
        call.side == Side::Manager && call.since > since && is_of_run
    });
    calls.into_iter().map(|call| call.route).collect()
}
