//! Checks runs whose process is killed.

use std::{collections::HashMap, sync::atomic::Ordering};

use anyhow::Result;
use futures_util::{StreamExt, stream};
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict,
    world::{State, Victim, World},
};
use crate::testing::{
    fault::Fault,
    journal::{Entry, Side},
    random::Random,
};

/// The number of concurrent trials. They mostly wait.
pub(super) const AT_ONCE: usize = 3;

/// A moment of a run: a call, and whether it was answered.
#[derive(Debug, Clone, PartialEq)]
struct Boundary {
    side: Side,
    route: String,
    number: usize,
    after: bool,
    /// Whether it is in a second run, which can lose documents of the first.
    again: bool,
}

impl Boundary {
    /// Returns the name for `OMNI_TEST_POINT`.
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

/// Returns the documents and the calls of an undisturbed run.
pub(super) async fn undisturbed(
    suite: &Conformance,
) -> Result<Result<(State, Vec<Entry>), Verdict>> {
    let world = World::calm(suite).await?;
    let ended = world.attempt(SyncType::Full).await?;
    if !ended.is_completed() {
        let reason = "an undisturbed run does not complete, which the check `completes` tells";
        return Ok(Err(Verdict::LeftOut(reason.to_owned())));
    }
    // Registrations depend on the clock.
    let mut calls = world.journal.entries();
    calls.retain(|entry| entry.route != "register");
    let state = world.state().await?;
    let another = World::calm(suite).await?;
    another.run(SyncType::Full).await?;
    if another.state().await? == state {
        return Ok(Ok((state, calls)));
    }
    suite.is_coarse.store(true, Ordering::Relaxed);
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
        // Half of the boundaries are in a second run, before and after calls alike.
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
        // Remove boundaries of routes with many calls, so that rare ones stay.
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

/// Returns whether the boundary was reached, or what was lost there.
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

/// Returns why a document was lost and how to fix it, if the order of the calls shows it.
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
