//! Checks of a source that changes. The result is compared with that of a connector that never saw the source before
//! the change.

use anyhow::Result;
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict, causes,
    killed::undisturbed,
    world::{State, Victim, World},
};
use crate::testing::{
    Found,
    fault::Fault,
    journal::Side,
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

pub(super) async fn changed(
    suite: &Conformance,
    change: &Change,
) -> Result<Result<Changed, Unable>> {
    let world = World::calm(suite).await?;
    world.run(SyncType::Full).await?;
    let before = world.state().await?;
    if let Err(unable) = world.change(change) {
        return Ok(Err(unable));
    }
    let ended = world.run(SyncType::Full).await?;
    let after = world.state().await?;
    let new = World::calm(suite).await?;
    if let Err(unable) = new.change(change) {
        return Ok(Err(unable));
    }
    new.run(SyncType::Full).await?;
    Ok(Ok(Changed {
        world,
        before,
        after,
        fresh: new.state().await?,
        is_completed: ended.is_completed(),
        failures: ended.failures(),
    }))
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
        let failure = Failure::new(what.to_owned())
            .fact("changed", change.to_string())
            .fact("found", lines.join("\n"));
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
    let change = Change::Remove(0);
    match changed(suite, &change).await? {
        Err(unable) => tried.left_out.push(unable.to_string()),
        Ok(found) => {
            let gone = |state: &State| {
                found
                    .before
                    .documents
                    .ids()
                    .iter()
                    .filter(|id| state.documents.get(id).is_none())
                    .count()
            };
            let differences: Vec<_> = found.after.documents.differences(&found.fresh.documents);
            let wrong: Vec<_> = differences
                .into_iter()
                .filter(|line| line.ends_with("is surplus") || line.ends_with("is missing"))
                .collect();
            if !wrong.is_empty() || gone(&found.after) != gone(&found.fresh) {
                let what = "what the source lost is still there after a full run, or more than that is gone";
                return Ok(found.failed(Check::Deletes, &change, what, wrong).await);
            }
            tried.done.push("one item".to_owned());
        }
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
        match changed(suite, &change).await? {
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

/// Checks a deleted item while the last call of the run fails.
async fn lost_during_a_fault(
    suite: &Conformance,
    calls: &[crate::testing::journal::Entry],
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
    let new = World::calm(suite).await?;
    if new.change(&change).is_err() {
        return Ok(None);
    }
    new.run(SyncType::Full).await?;
    let (after, fresh) = (world.state().await?, new.state().await?);
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

pub(super) async fn access(suite: &Conformance) -> Result<Verdict> {
    let (state, _) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    if let Some(failure) = nobody(&state) {
        return Ok(Verdict::Failed(failure));
    }
    let mut tried = Tried::default();
    tried.done.push("addresses".to_owned());
    for change in [Change::Narrow(0), Change::Leave, Change::EmptyGroup] {
        match changed(suite, &change).await? {
            Err(unable) => tried.left_out.push(unable.to_string()),
            Ok(found) => {
                let differences = found.after.differences(&found.fresh);
                let mut wrong: Vec<_> = differences
                    .into_iter()
                    .filter(|line| line.contains("readers") || line.starts_with("the members"))
                    .collect();
                let has_readers = found
                    .before
                    .documents
                    .iter()
                    .any(|document| !document.readers().is_empty());
                let is_used = if change == Change::Narrow(0) {
                    has_readers
                } else {
                    !found.before.groups.is_empty()
                };
                if is_used && found.after.differences(&found.before).is_empty() {
                    wrong.push("everything is as before".to_owned());
                }
                if !wrong.is_empty() {
                    let what = "somebody keeps access that the source took away";
                    return Ok(found.failed(Check::Access, &change, what, wrong).await);
                }
                let documents = &found.before.documents;
                let is_public = documents.iter().all(Found::is_public);
                if change == Change::Narrow(0) && is_public && !documents.ids().is_empty() {
                    let what =
                        "every document is public, although the items of the source name readers";
                    let ids = documents.ids().into_iter().map(str::to_owned).collect();
                    return Ok(found.failed(Check::Access, &change, what, ids).await);
                }
                if change == Change::Narrow(0) && !has_readers {
                    let why = "no document names a reader, although the items of the source do";
                    tried.left_out.push(format!("{change}: {why}"));
                    continue;
                }
                tried.done.push(change.to_string());
            }
        }
    }
    for change in [Change::HideReaders(0), Change::HideMembers] {
        match changed(suite, &change).await? {
            Err(unable) => tried.left_out.push(unable.to_string()),
            Ok(found) => {
                let opened = |state: &State| -> Vec<String> {
                    let public = state
                        .documents
                        .iter()
                        .filter(|document| document.is_public());
                    let new = public.filter(|document| {
                        found
                            .before
                            .documents
                            .get(&document.id)
                            .is_some_and(|before| !before.is_public())
                    });
                    new.map(|document| format!("{} is public", document.id))
                        .collect()
                };
                let mut wrong = opened(&found.after);
                wrong.extend(opened(&found.fresh));
                if !wrong.is_empty() {
                    let what = "what cannot be read became public";
                    return Ok(found.failed(Check::Access, &change, what, wrong).await);
                }
                let emptied = found
                    .before
                    .groups
                    .keys()
                    .filter(|group| !found.after.groups.contains_key(*group));
                let emptied: Vec<_> = emptied
                    .map(|group| format!("{group} has no members any more"))
                    .collect();
                if !emptied.is_empty() {
                    let what = "a list of members that cannot be read was taken for an empty one";
                    return Ok(found.failed(Check::Access, &change, what, emptied).await);
                }
                tried.done.push(change.to_string());
            }
        }
    }
    Ok(tried.verdict())
}

/// Finds a document with readers that Omni cannot know.
fn nobody(state: &State) -> Option<Failure> {
    for document in state.documents.iter() {
        for reader in document.readers() {
            if !reader.contains('@') {
                let failure = Failure::new("a reader is not an e-mail address, so nobody is meant")
                    .fact("document", document.id.clone())
                    .fact("reader", reader);
                return Some(
                    failure.help("look the person up in the source, and send the address"),
                );
            }
        }
        for group in document.groups() {
            let is_domain = !group.contains('@');
            if !is_domain && !state.groups.contains_key(group) {
                let failure = Failure::new("a group of readers has no members, so nobody is meant")
                    .fact("document", document.id.clone())
                    .fact("group", group);
                return Some(failure.help(
                    "send the members of each group with `ctx.group`, under the same address",
                ));
            }
        }
    }
    None
}
