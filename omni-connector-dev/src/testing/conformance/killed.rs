//! Checks runs whose process is killed.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::Result;
use futures_util::{StreamExt, stream};
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict, causes,
    meaning::differences,
    undisturbed::{Undisturbed, watched},
    victim::Victim,
    world::World,
};
use crate::testing::{
    fault::Fault,
    journal::{Entry, Side},
    random::Random,
};

/// The number of concurrent trials. They mostly wait.
pub(super) const AT_ONCE: usize = 3;
/// One boundary in this number is followed by a second kill.
const TWICE: usize = 10;
/// The calls of each route that are all tested, as long as others can be left out.
const FIRST: usize = 3;
/// The most bytes of a checkpoint that a failure shows.
const LONGEST: usize = 240;

/// A moment of a run: a call, and whether it was answered.
#[derive(Debug, Clone, PartialEq)]
struct Boundary {
    side: Side,
    route: String,
    number: usize,
    after: bool,
    /// Whether it is in a second run, which can lose documents of the first.
    again: bool,
    /// Whether the resumed process is killed as well.
    twice: bool,
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
        let twice = if self.twice { ":twice" } else { "" };
        format!("{side}:{}:{}:{when}{again}{twice}", self.route, self.number)
    }

    /// Returns the call of the resumed process before which it is killed again.
    const fn second(&self) -> usize {
        5 + self.number % 4 * 3
    }

    fn text(&self) -> String {
        let (when, number) = (if self.after { "after" } else { "before" }, self.number + 1);
        let whose = if self.side == Side::Source {
            "the source"
        } else {
            "the manager"
        };
        let run = if self.again { "in a second run, " } else { "" };
        let twice = if self.twice {
            format!(
                ", and again before call {} of the resumed process",
                self.second()
            )
        } else {
            String::new()
        };
        format!(
            "{run}{when} answer {number} of {whose} to `{}`{twice}",
            self.route
        )
    }
}

fn boundaries(calls: &[Entry], most: usize, seed: u64) -> (Vec<Boundary>, usize) {
    let at = |entry: &Entry| {
        [false, true].map(|after| Boundary {
            side: entry.side,
            route: entry.route.clone(),
            number: entry.number,
            after,
            again: false,
            twice: false,
        })
    };
    // The order of concurrent calls differs from run to run, and the boundaries must not.
    let mut calls: Vec<_> = calls.iter().collect();
    calls.sort_by_key(|call| (call.side, &call.route, call.number));
    let mut all: Vec<_> = calls.into_iter().flat_map(at).collect();
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
        let twice = all.iter().cloned().map(|boundary| Boundary {
            twice: true,
            ..boundary
        });
        all.extend(twice.collect::<Vec<_>>());
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
        let is_early = |boundary: &Boundary| boundary.number < FIRST;
        if is_early(&all[at]) && !all.iter().all(is_early) {
            continue;
        }
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
    // First runs come first: what is lost in one is easier to explain.
    all.sort_by_key(|boundary| boundary.again);
    for boundary in all.iter_mut().skip(TWICE / 2).step_by(TWICE) {
        boundary.twice = true;
    }
    (all, count)
}

pub(super) async fn resume(suite: &Conformance) -> Result<Verdict> {
    let expected = match watched(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let seed = std::env::var("OMNI_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(41);
    let (points, count) = boundaries(&expected.calls, suite.boundaries, seed);
    if let (true, Ok(point)) = (points.is_empty(), std::env::var("OMNI_TEST_POINT")) {
        let failure = Failure::new("a run has no such boundary").fact("asked for", point);
        return Ok(Verdict::Failed(failure.help(
            "the calls of a run have changed; run the check without `OMNI_TEST_POINT`",
        )));
    }
    let (tried, doubled) = (
        points.len(),
        points.iter().filter(|point| point.twice).count(),
    );
    let mut reached = 0;
    let trials = points
        .into_iter()
        .map(|point| async move { killed_at(suite, point, expected).await });
    // In order, so that the same failure is reported each time.
    let mut trials = stream::iter(trials).buffered(AT_ONCE);
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
    suite.summary.note_boundaries(reached, count);
    Ok(Verdict::Passed(format!(
        "killed at {reached} of {count} boundaries, {doubled} times twice in a row"
    )))
}

/// Returns whether the boundary was reached, or what was lost there.
async fn killed_at(
    suite: &Conformance,
    point: Boundary,
    expected: &Undisturbed,
) -> Result<Result<bool, Failure>> {
    let victim = Victim::default();
    let (kill, again, at) = (victim.kill(), victim.kill(), point.clone());
    // Counts the calls since the first kill, itself included.
    let since = AtomicUsize::new(0);
    let breaks = move |side: Side, route: &str, number: usize| {
        if side == at.side && route == at.route && number == at.number {
            since.store(1, Ordering::Relaxed);
            return Some(if at.after {
                Fault::DoAfter(kill.clone())
            } else {
                Fault::DoBefore(kill.clone())
            });
        }
        let counts = at.twice && route != "register" && since.load(Ordering::Relaxed) > 0;
        let is_second = counts && since.fetch_add(1, Ordering::Relaxed) == at.second();
        is_second.then(|| Fault::DoBefore(again.clone()))
    };
    let world = World::start(suite, victim, breaks).await?;
    if point.again {
        world.arm(false);
        world.run(SyncType::Full).await?;
        world.arm(true);
    }
    let ended = world.run(SyncType::Full).await;
    let failure = Failure::new("a process that is killed loses something")
        .fact("killed", point.text())
        .fact("resumed", resumed_from(&world, &point));
    let failure = match ended {
        Err(error) => failure.fact("then", format!("{error:#}")),
        Ok(ended) if !ended.is_completed() => failure
            .fact(
                "then",
                format!("the run is {:?}", ended.progress.run.status),
            )
            .fact(
                "error",
                ended.progress.run.error_message.unwrap_or_default(),
            ),
        Ok(_) => {
            let (found, checkpoint) = (world.state().await?, world.checkpoint().await);
            let state = &expected.state;
            // The checkpoint of a second run may say more.
            let other = expected.checkpoint.as_ref().filter(|expected| {
                let is_first = !point.again;
                is_first && **expected != checkpoint
            });
            match other {
                _ if !found.differences(state).is_empty() => {
                    causes::explained(failure, &world.journal.entries(), state, &found)
                }
                None => return Ok(Ok(world.hits() > 0)),
                Some(other) => failure
                    .fact("checkpoint", differences(&checkpoint, other))
                    .help("leave nothing of the interruption in the checkpoint of a complete run"),
            }
        }
    };
    let store = world.keep(Check::Resume, &point.name()).await;
    Ok(Err(failure.store(store).point(point.name())))
}

/// Describes from where an interrupted run is resumed: its last checkpoint before the kill.
fn resumed_from(world: &World, point: &Boundary) -> String {
    let calls = world.journal.entries();
    let (before, after) = calls.split_at(world.first_hit().min(calls.len()));
    // The killed call has no answer, but the manager may have handled it.
    let killed = after.iter().find(|call| call.status == 0 && point.after);
    let before = before.iter().chain(killed).rev();
    let mut in_run = before.take_while(|call| call.route != "complete");
    // The first call of the resumed process for the run.
    let mut calls = after.iter().filter(|call| call.route != "register");
    let killed_at = calls.next().map(|call| call.at);
    let later = killed_at.zip(calls.next()).map(|(killed, next)| {
        let later = next.at.saturating_duration_since(killed);
        format!(", {} ms later", later.as_millis())
    });
    let later = later.unwrap_or_default();
    match in_run.find(|call| call.route == "checkpoint") {
        Some(saved) => {
            let text = String::from_utf8_lossy(&saved.request);
            let end = text.floor_char_boundary(LONGEST);
            let more = if end < text.len() { "…" } else { "" };
            format!("from {}{more}{later}", &text[..end])
        }
        None => format!("from its beginning, since it had saved no checkpoint{later}"),
    }
}
