//! Checks of runs that are killed, stopped, or disturbed on the manager's side.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use anyhow::Result;
use futures_util::{StreamExt, stream};
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict,
    world::{State, Victim, World},
};
use crate::testing::{
    fault::{Fault, RetryAfter},
    proxy::{Entry, Side},
    random::Random,
};

/// Trials side by side: they wait more than they work.
pub(super) const AT_ONCE: usize = 3;
/// Time after the grace until a process must be gone.
const MARGIN: Duration = Duration::from_secs(6);

/// An instant of a run: a call, and whether it was answered.
#[derive(Debug, Clone, PartialEq)]
struct Boundary {
    side: Side,
    route: String,
    number: usize,
    after: bool,
    /// In a second run, in which documents can be lost that the first one brought.
    again: bool,
}

impl Boundary {
    /// As `OMNI_TEST_POINT` names it.
    fn name(&self) -> String {
        let side = if self.side == Side::Source {
            "source"
        } else {
            "manager"
        };
        let when = if self.after { "after" } else { "before" };
        let again = if self.again { ":again" } else { "" };
        format!("{side}:{}:{}:{when}{again}", self.route, self.number)
    }

    fn text(&self) -> String {
        let (when, number) = (if self.after { "after" } else { "before" }, self.number + 1);
        let whose = if self.side == Side::Source {
            "the source"
        } else {
            "the manager"
        };
        let run = if self.again { "in a second run, " } else { "" };
        format!("{run}{when} answer {number} of {whose} to `{}`", self.route)
    }
}

/// What an undisturbed run leaves, and all that it called.
pub(super) async fn undisturbed(
    suite: &Conformance,
) -> Result<Result<(State, Vec<Entry>), Verdict>> {
    let world = World::calm(suite).await?;
    let ended = world.run(SyncType::Full).await?;
    if !ended.is_completed() {
        let reason = "an undisturbed run does not complete, which the check `completes` tells";
        return Ok(Err(Verdict::LeftOut(reason.to_owned())));
    }
    // Registrations come by the clock.
    let mut calls = world.journal.entries();
    calls.retain(|entry| entry.route != "register");
    Ok(Ok((world.state().await?, calls)))
}

fn boundaries(calls: &[Entry], most: usize, seed: u64) -> (Vec<Boundary>, usize) {
    let at = |entry: &Entry| {
        [false, true].map(|after| Boundary {
            side: entry.side,
            route: entry.route.clone(),
            number: entry.number,
            after,
            again: false,
        })
    };
    let mut all: Vec<_> = calls.iter().flat_map(at).collect();
    let count = all.len();
    if std::env::var("OMNI_TEST_FULL").is_ok() || std::env::var("OMNI_TEST_POINT").is_ok() {
        let again = all.iter().cloned().map(|boundary| Boundary {
            again: true,
            ..boundary
        });
        all.extend(again.collect::<Vec<_>>());
    } else {
        // Half of them each, before and after calls alike.
        for (index, boundary) in all.iter_mut().enumerate() {
            boundary.again = (index / 2 + index) % 2 == 1;
        }
    }
    if let Ok(point) = std::env::var("OMNI_TEST_POINT") {
        all.retain(|boundary| boundary.name() == point);
        return (all, count);
    }
    let mut random = Random::new(seed);
    let mut kinds: HashMap<(Side, String), usize> = HashMap::new();
    for boundary in &all {
        *kinds
            .entry((boundary.side, boundary.route.clone()))
            .or_default() += 1;
    }
    while all.len() > most && std::env::var("OMNI_TEST_FULL").is_err() {
        // Of routes with many calls, so that rare ones stay.
        let at = random.below(all.len());
        let left = kinds
            .entry((all[at].side, all[at].route.clone()))
            .or_default();
        if *left > 1 || kinds.len() >= most {
            kinds
                .entry((all[at].side, all[at].route.clone()))
                .and_modify(|left| *left -= 1);
            all.remove(at);
        }
    }
    (all, count)
}

pub(super) async fn resume(suite: &Conformance) -> Result<Verdict> {
    let (expected, calls) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let seed = std::env::var("OMNI_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(41);
    let (points, count) = boundaries(&calls, suite.boundaries, seed);
    let tried = points.len();
    let mut reached = 0;
    let expected = &expected;
    let trials = points
        .into_iter()
        .map(|point| async move { killed_at(suite, point, expected).await });
    let mut trials = stream::iter(trials).buffer_unordered(AT_ONCE);
    let mut done = 0;
    while let Some(trial) = trials.next().await {
        done += 1;
        match trial? {
            Ok(hit) => reached += usize::from(hit),
            Err(failure) => {
                return Ok(Verdict::Failed(failure.fact(
                    "tried",
                    format!("{done} of {tried} boundaries (seed {seed})"),
                )));
            }
        }
    }
    Ok(Verdict::Passed(format!(
        "killed at {reached} of {count} boundaries"
    )))
}

/// Whether the boundary was reached, or what was lost there.
async fn killed_at(
    suite: &Conformance,
    point: Boundary,
    expected: &State,
) -> Result<Result<bool, Failure>> {
    let victim = Victim::default();
    let (kill, at) = (victim.kill(), point.clone());
    let breaks = move |side: Side, route: &str, number: usize| {
        (side == at.side && route == at.route && number == at.number).then(|| {
            if at.after {
                Fault::DoAfter(kill.clone())
            } else {
                Fault::DoBefore(kill.clone())
            }
        })
    };
    let world = World::start(suite, victim, breaks).await?;
    if point.again {
        world.arm(false);
        world.run(SyncType::Full).await?;
        world.arm(true);
    }
    let ended = world.run(SyncType::Full).await;
    let failure =
        || Failure::new("a process that is killed loses something").fact("killed", point.text());
    let failure = match ended {
        Err(error) => failure().fact("then", format!("{error:#}")),
        Ok(ended) if !ended.is_completed() => failure()
            .fact(
                "then",
                format!("the run is {:?}", ended.progress.run.status),
            )
            .fact(
                "error",
                ended.progress.run.error_message.unwrap_or_default(),
            ),
        Ok(_) => {
            let differences = world.state().await?.differences(expected);
            if differences.is_empty() {
                return Ok(Ok(world.hits() > 0));
            }
            let failure = failure()
                .fact("then", "the run was resumed and completed")
                .fact("lost", differences.join("\n"));
            match cause(&world.journal.entries(), expected, &world.state().await?) {
                Some((because, help)) => failure.because(because).help(help),
                None => failure,
            }
        }
    };
    let store = world.keep(Check::Resume, &point.name()).await;
    Ok(Err(failure.store(store).point(point.name())))
}

/// Why a document was lost, where the order of the calls shows it, and the way out.
fn cause(calls: &[Entry], expected: &State, found: &State) -> Option<(String, &'static str)> {
    let mut missing = expected.documents.iter();
    let lost = missing.find(|document| found.documents.get(&document.id).is_none())?;
    let has =
        |bytes: &[u8], text: &str| String::from_utf8_lossy(bytes).contains(&format!("\"{text}\""));
    let sent = calls
        .iter()
        .any(|entry| entry.route == "events/batch" && has(&entry.request, &lost.id));
    if sent {
        let help = "keep in the checkpoint what the run saw before it was interrupted, as an `Inventory` does";
        return Some((
            format!("{} was sent, and deleted by the resumed run", lost.id),
            help,
        ));
    }
    let read = calls.iter().position(|entry| {
        entry.side == Side::Source
            && (has(&entry.answer, &lost.id) || has(&entry.answer, &lost.title))
    })?;
    let saved = calls[read..]
        .iter()
        .any(|entry| entry.route == "checkpoint");
    let help = "save a checkpoint only after everything that it says is done was emitted";
    let text = format!(
        "a checkpoint was saved after `{}` had brought {} and before it was sent",
        calls[read].route, lost.id
    );
    saved.then_some((text, help))
}

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
        let failure = || {
            Failure::new("a fault of the manager loses something").fact(
                "broken",
                format!("call {} of `{route}`: {kind}", number + 1),
            )
        };
        let failure = match ended {
            Err(error) => failure().fact("then", format!("{error:#}")),
            Ok(ended) if !ended.is_completed() => failure().fact(
                "error",
                ended.progress.run.error_message.unwrap_or_default(),
            ),
            Ok(_) => {
                let differences = world.state().await?.differences(expected);
                if differences.is_empty() {
                    return anyhow::Ok(None);
                }
                failure().fact("lost", differences.join("\n"))
            }
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
    Ok(Verdict::Passed(format!("{tried} faults")))
}

/// Asks the process to end, and cancels a run, each in the middle of the calls.
pub(super) async fn stops(suite: &Conformance) -> Result<Verdict> {
    let (expected, calls) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let Some(middle) = calls.get(calls.len() / 2).cloned() else {
        return Ok(Verdict::LeftOut("a run makes no calls".to_owned()));
    };
    for is_cancel in [false, true] {
        let victim = Victim::default();
        let terminate = victim.terminate();
        let (reached, was_reached) = tokio::sync::watch::channel(false);
        let action: crate::testing::Action = std::sync::Arc::new(move || {
            if !is_cancel {
                terminate();
            }
            let _ = reached.send(true);
        });
        let at = middle.clone();
        let breaks = move |side: Side, route: &str, number: usize| {
            (side == at.side && route == at.route && number == at.number)
                .then(|| Fault::Also(action.clone()))
        };
        let world = World::start(suite, victim, breaks).await?;
        let what = if is_cancel {
            "a run is cancelled"
        } else {
            "the process is asked to end (SIGTERM)"
        };
        let failure = |problem: &str| {
            Verdict::Failed(
                Failure::new(problem.to_owned())
                    .fact("after", format!("{what} after `{}`", middle.route)),
            )
        };
        let (run, _) = world.setup.begin(SyncType::Full).await?;
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
            return Ok(failure(&format!(
                "the connector goes on for more than {:?}",
                since.elapsed()
            )));
        }
        world.arm(false);
        if !is_cancel {
            world.setup.process.restart()?;
            world.setup.answers().await?;
            let _ = world.setup.manager.cancel(&run.id).await;
        }
        let ended = world.run(SyncType::Full).await?;
        if !ended.is_completed() || !world.state().await?.differences(&expected).is_empty() {
            let store = world
                .keep(Check::Stops, if is_cancel { "cancel" } else { "sigterm" })
                .await;
            let error = ended.progress.run.error_message.unwrap_or_default();
            let failure = Failure::new("the run after it does not bring everything")
                .fact("after", what)
                .fact("error", error)
                .store(store);
            return Ok(Verdict::Failed(failure));
        }
    }
    Ok(Verdict::Passed(
        "SIGTERM and a cancel in the middle of a run".to_owned(),
    ))
}
