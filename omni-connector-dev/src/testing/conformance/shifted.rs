//! Checks of lists that change while they are read.

use std::collections::BTreeMap;

use anyhow::Result;
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure,
    changed::Tried,
    undisturbed::fresh,
    victim::Victim,
    walked::missing,
    world::{Attempt, State, World},
};
use crate::testing::{
    fault::Fault,
    journal::{Entry, Side},
    source::{Change, Removal},
};

const HELP: &str = "accept an item that comes twice, and one that is gone when it is read (`SourceError::NotFound`)";
const HELP_WITH_TOTAL: &str = "compare what was read with the total, as `Paging::total` does; if it has changed, fail the run and delete nothing";

/// Tests a list that changes after its first page was read: an item is added before all others, or the first one is
/// removed. If that makes the walk skip an item, the run must notice it by the total of the list.
pub(super) async fn shifted(
    suite: &Conformance,
    expected: &State,
    calls: &[Entry],
    tried: &mut Tried,
) -> Result<Option<Failure>> {
    let Some(route) = longest_list(calls) else {
        tried.left_out.push("no list has several pages".to_owned());
        return Ok(None);
    };
    let removal = suite
        .source
        .as_ref()
        .map_or(Removal::Silent, |start| start().removal());
    for change in [Change::AddFirst, Change::Remove(0)] {
        let is_removed = change != Change::AddFirst;
        if is_removed && removal == Removal::Silent {
            let why = "the list skips an item then, and no answer tells";
            tried
                .left_out
                .push(format!("{change} during a walk: {why}"));
            continue;
        }
        let fresh = match fresh(suite, &change).await? {
            Ok(fresh) => fresh,
            Err(unable) => {
                tried.left_out.push(unable.to_string());
                continue;
            }
        };
        let is_skipped = is_removed && removal == Removal::Told;
        // A run that cannot delete anything may still be complete without an item.
        let trials: &[bool] = if is_skipped { &[true, false] } else { &[true] };
        for has_documents in trials {
            let shift = Shift {
                route: &route,
                change: &change,
                is_skipped,
                has_documents: *has_documents,
            };
            if let Some(failure) = shift.trial(suite, expected, &fresh).await? {
                return Ok(Some(failure));
            }
        }
        tried.done.push(format!("{change} during a walk"));
    }
    Ok(None)
}

/// A change of a list after its first page.
struct Shift<'a> {
    route: &'a str,
    change: &'a Change,
    /// Whether the walk skips an item then, so that the run may fail.
    is_skipped: bool,
    /// Whether an earlier run has sent the documents.
    has_documents: bool,
}

impl Shift<'_> {
    async fn trial(
        &self,
        suite: &Conformance,
        expected: &State,
        fresh: &State,
    ) -> Result<Option<Failure>> {
        let (victim, broken) = (Victim::default(), self.route.to_owned());
        let action = victim.change(self.change);
        let breaks = move |side: Side, route: &str, number: usize| {
            (side == Side::Source && route == broken && number == 0)
                .then(|| Fault::AnswerThenDo(action.clone()))
        };
        let world = World::start(suite, victim, breaks).await?;
        if self.has_documents {
            world.arm(false);
            world.run(SyncType::Full).await?;
            world.arm(true);
        }
        let during = world.attempt(SyncType::Full).await?;
        // The items that the source has throughout.
        let mut lost = missing(&world.state().await?, expected);
        lost.retain(|line| !missing(fresh, expected).contains(line));
        if self.is_skipped && !self.has_documents && !during.is_flawless() {
            lost.clear();
        }
        world.arm(false);
        let after = world.attempt(SyncType::Full).await?;
        let left = missing(&world.state().await?, fresh);
        let error = [during.error(), after.error()].concat();
        let may_fail = self.is_skipped && !matches!(during, Attempt::Hangs(_));
        let is_whole = (during.is_completed() || may_fail) && after.is_completed();
        if is_whole && lost.is_empty() && left.is_empty() {
            return Ok(None);
        }
        let what = match (self.is_skipped, self.has_documents) {
            (true, true) => "a walk that skipped an item deletes it",
            (true, false) => "a walk that skipped an item counts as complete",
            (false, _) => {
                "a list that changes while it is read fails the run, or costs other items"
            }
        };
        let (change, route) = (self.change, self.route);
        let failure = Failure::new(what)
            .fact(
                "changed",
                format!("{change}, after the first answer to `{route}`"),
            )
            .fact("error", error)
            .fact("missing", [lost, left].concat().join("\n"))
            .help(if self.is_skipped {
                HELP_WITH_TOTAL
            } else {
                HELP
            });
        let store = world.keep(Check::Walks, &change.to_string()).await;
        Ok(Some(failure.store(store)))
    }
}

/// Returns the route of the source with the most calls, if it has several.
fn longest_list(calls: &[Entry]) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.side == Side::Source) {
        *counts.entry(&call.route).or_default() += 1;
    }
    let longest = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (longest.1 > 1).then(|| longest.0.to_owned())
}
