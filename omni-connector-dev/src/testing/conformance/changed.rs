//! Checks of a source that changes. The result is compared with that of a connector that never saw the source before
//! the change.

use anyhow::Result;
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict, causes,
    undisturbed::{fresh, undisturbed, watched},
    victim::Victim,
    world::{State, World},
};
use crate::testing::{
    fault::Fault,
    journal::{Entry, Side},
    source::{Change, Unable},
};

/// The number of documents that a connector needs to tell an accident from a few deletes.
const MANY: usize = 12;

/// The documents after a change: of a connector that knows the earlier source, and of a new one.
pub(super) struct Changed {
    world: World,
    pub(super) before: State,
    pub(super) after: State,
    pub(super) fresh: State,
    /// Whether the run after the change is complete, and the number of items that it reports as failed.
    pub(super) is_completed: bool,
    pub(super) failures: u64,
}

/// Compares a run of this mode after a change with the full run of a new connector.
pub(super) async fn changed(
    suite: &Conformance,
    change: &Change,
    mode: SyncType,
) -> Result<Result<Changed, Unable>> {
    let world = World::calm(suite).await?;
    world.run(SyncType::Full).await?;
    let before = world.state().await?;
    if let Err(unable) = world.change(change) {
        return Ok(Err(unable));
    }
    Box::pin(run_again(suite, change, world, before, mode)).await
}

/// Runs a connector on the changed source, and compares it with one that never saw the source without the change.
async fn run_again(
    suite: &Conformance,
    change: &Change,
    world: World,
    before: State,
    mode: SyncType,
) -> Result<Result<Changed, Unable>> {
    let ended = world.run(mode).await?;
    let after = world.state().await?;
    let fresh = match fresh(suite, change).await? {
        Ok(fresh) => fresh,
        Err(unable) => return Ok(Err(unable)),
    };
    Ok(Ok(Changed {
        world,
        before,
        after,
        fresh,
        is_completed: ended.is_completed(),
        failures: ended.failures(),
    }))
}

/// Changes the source in a full run, after its last call. The run after it is incremental. The clock of the source is
/// a little late. A source that is not called over HTTP changes when the last content was sent.
pub(super) async fn changed_during_a_run(
    suite: &Conformance,
    change: &Change,
    calls: &[Entry],
) -> Result<Result<Changed, Unable>> {
    let last_where =
        |is_it: &dyn Fn(&Entry) -> bool| calls.iter().rev().find(|call| is_it(call)).cloned();
    let last = last_where(&|call| call.side == Side::Source);
    let Some(last) = last.or_else(|| last_where(&|call| call.route == "content")) else {
        return Ok(Err(Unable("the connector calls no source".to_owned())));
    };
    let victim = Victim::default();
    let action = victim.change(change);
    let breaks = move |side: Side, route: &str, number: usize| {
        (side == last.side && route == last.route && number == last.number)
            .then(|| Fault::AnswerThenDo(action.clone()))
    };
    let world = World::start(suite, victim.clone(), breaks).await?;
    world.run(SyncType::Full).await?;
    let before = world.state().await?;
    if let Some(Err(unable)) = &*victim.changed() {
        return Ok(Err(unable.clone()));
    }
    world.arm(false);
    Box::pin(run_again(
        suite,
        change,
        world,
        before,
        SyncType::Incremental,
    ))
    .await
}

/// Returns whether the connector declares incremental runs.
pub(super) async fn has_incremental(suite: &Conformance) -> Result<bool> {
    let found = watched(suite).await?;
    Ok(found.is_ok_and(|found| found.has_incremental))
}

/// The changes that were tried and those that were left out.
#[derive(Default)]
pub(super) struct Tried {
    pub(super) done: Vec<String>,
    pub(super) left_out: Vec<String>,
}

impl Tried {
    pub(super) fn verdict(self) -> Verdict {
        if self.done.is_empty() {
            self.left_out.first().cloned().map_or_else(
                || Verdict::LeftOut("nothing could be tried".to_owned()),
                Verdict::LeftOut,
            )
        } else if self.left_out.is_empty() {
            Verdict::Passed(self.done.join(", "))
        } else {
            Verdict::Passed(format!(
                "{} (left out: {})",
                self.done.join(", "),
                self.left_out.join("; ")
            ))
        }
    }
}

impl Changed {
    pub(super) async fn failed(
        &self,
        check: Check,
        change: &Change,
        what: &str,
        lines: Vec<String>,
    ) -> Verdict {
        self.failed_with(check, change, what, lines, "").await
    }

    /// Adds a help, unless the calls show the cause.
    pub(super) async fn failed_with(
        &self,
        check: Check,
        change: &Change,
        what: &str,
        lines: Vec<String>,
        help: &str,
    ) -> Verdict {
        let failure = Failure::new(what.to_owned())
            .fact("changed", change.to_string())
            .fact("found", lines.join("\n"));
        let failure = match help {
            "" => failure,
            help => failure.help(help),
        };
        let failure = self.explained(failure);
        Verdict::Failed(failure.store(self.world.keep(check, &change.to_string()).await))
    }

    /// Adds the cause, if the calls show it.
    fn explained(&self, failure: Failure) -> Failure {
        let calls = self.world.journal.entries();
        if let Some((because, help)) = causes::misspelled_delete(&calls, &self.fresh, &self.after) {
            return failure.because(because).help(help);
        }
        for document in self.after.documents.iter() {
            let Some(fresh) = self.fresh.documents.get(&document.id) else {
                continue;
            };
            let mut readers = document.readers().into_iter();
            let kept = readers.find(|reader| !fresh.readers().contains(reader));
            // A new connector may make the same mistake.
            if let Some(kept) = kept.or_else(|| causes::taken_reader(&calls, document)) {
                let because = causes::kept_reader(&calls, document, kept);
                return failure
                    .fact("still", format!("{kept} may read {}", document.id))
                    .because(because);
            }
        }
        failure
    }
}

pub(super) async fn deletes(suite: &Conformance) -> Result<Verdict> {
    let (expected, calls) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let mut tried = Tried::default();
    for change in [Change::Remove(0), Change::RemoveTenth] {
        match changed(suite, &change, SyncType::Full).await? {
            Err(unable) => tried.left_out.push(unable.to_string()),
            Ok(found) => {
                let wrong = gone_otherwise(&found.after, &found.fresh);
                if !wrong.is_empty() {
                    let what = "what the source lost is still there after a full run, or more than that is gone";
                    return Ok(found.failed(Check::Deletes, &change, what, wrong).await);
                }
                tried.done.push(change.to_string());
            }
        }
    }
    if has_incremental(suite).await?
        && let Some(verdict) = lost_before_an_incremental_run(suite, &mut tried).await?
    {
        return Ok(verdict);
    }
    let mut accidents = vec![Change::RemoveAll];
    if expected.documents.len() >= MANY {
        accidents.push(Change::RemoveMost);
    } else {
        tried.left_out.push(format!(
            "an accident with part of the documents: there are fewer than {MANY}"
        ));
    }
    for change in accidents {
        match changed(suite, &change, SyncType::Full).await? {
            Err(unable) => tried.left_out.push(unable.to_string()),
            Ok(found) => {
                let lost = found.after.documents.differences(&found.before.documents);
                let lost: Vec<_> = lost
                    .into_iter()
                    .filter(|line| line.ends_with("is missing"))
                    .collect();
                if !lost.is_empty() {
                    let what = "deletes that look like an accident are not held back";
                    return Ok(found.failed(Check::Deletes, &change, what, lost).await);
                }
                tried.done.push(change.to_string());
            }
        }
    }
    if let Some(verdict) = lost_during_a_fault(suite, &calls, &mut tried).await? {
        return Ok(verdict);
    }
    Ok(tried.verdict())
}

/// Describes the documents that only one of two states has.
fn gone_otherwise(found: &State, expected: &State) -> Vec<String> {
    let mut lines = found.documents.differences(&expected.documents);
    lines.retain(|line| line.ends_with("is surplus") || line.ends_with("is missing"));
    lines
}

/// Checks a deleted item that an incremental run may find. The full run after it must find it.
async fn lost_before_an_incremental_run(
    suite: &Conformance,
    tried: &mut Tried,
) -> Result<Option<Verdict>> {
    let change = Change::Remove(0);
    let Ok(found) = changed(suite, &change, SyncType::Incremental).await? else {
        return Ok(None);
    };
    let mut wrong = gone_otherwise(&found.after, &found.fresh);
    wrong.retain(|line| line.ends_with("is missing"));
    if !wrong.is_empty() {
        let what = "an incremental run deletes what the source still has";
        let verdict = found.failed(Check::Deletes, &change, what, wrong).await;
        return Ok(Some(verdict));
    }
    found.world.run(SyncType::Full).await?;
    let wrong = gone_otherwise(&found.world.state().await?, &found.fresh);
    if !wrong.is_empty() {
        let what = "what the source lost before an incremental run is still there after the full run that followed";
        let verdict = found.failed(Check::Deletes, &change, what, wrong).await;
        return Ok(Some(verdict));
    }
    tried
        .done
        .push(format!("{change} before an incremental run"));
    Ok(None)
}

/// Checks a deleted item while the last call of the run fails.
async fn lost_during_a_fault(
    suite: &Conformance,
    calls: &[Entry],
    tried: &mut Tried,
) -> Result<Option<Verdict>> {
    let Some(last) = calls
        .iter()
        .rev()
        .find(|entry| entry.side == Side::Source)
        .cloned()
    else {
        return Ok(None);
    };
    let at = last.clone();
    let breaks = move |side: Side, route: &str, number: usize| {
        (side == Side::Source && route == at.route && number >= at.number)
            .then_some(Fault::Answer(403, None))
    };
    let world = World::start(suite, Victim::default(), breaks).await?;
    world.arm(false);
    world.run(SyncType::Full).await?;
    let change = Change::Remove(0);
    if world.change(&change).is_err() {
        return Ok(None);
    }
    world.arm(true);
    world.run(SyncType::Full).await?;
    world.arm(false);
    world.run(SyncType::Full).await?;
    let Ok(fresh) = fresh(suite, &change).await? else {
        return Ok(None);
    };
    let after = world.state().await?;
    let differences = after.documents.differences(&fresh.documents);
    let wrong: Vec<_> = differences
        .into_iter()
        .filter(|line| line.ends_with("is surplus"))
        .collect();
    if wrong.is_empty() {
        tried
            .done
            .push("one item while the source fails".to_owned());
        return Ok(None);
    }
    let failure =
        Failure::new("what the source lost while it failed is still there after the next good run")
            .fact("broken", format!("`{}`", last.route))
            .fact("found", wrong.join("\n"));
    Ok(Some(Verdict::Failed(
        failure.store(world.keep(Check::Deletes, "fault").await),
    )))
}
