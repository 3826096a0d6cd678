//! Checks who may read documents, also after the source has changed that.

use std::collections::BTreeSet;

use anyhow::Result;
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict,
    changed::{Tried, changed},
    undisturbed::undisturbed,
    world::State,
};
use crate::testing::{Found, source::Change};

/// The reader of a public document in the option `readers`.
const EVERYBODY: &str = "everybody";

pub(super) async fn access(suite: &Conformance) -> Result<Verdict> {
    let (state, _) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    if let Some(failure) = nobody(&state).or_else(|| others(suite, &state)) {
        return Ok(Verdict::Failed(failure));
    }
    let mut tried = Tried::default();
    tried.done.push("addresses".to_owned());
    for change in [Change::Narrow(0), Change::Leave, Change::EmptyGroup] {
        match changed(suite, &change, SyncType::Full).await? {
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
        match changed(suite, &change, SyncType::Full).await? {
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

/// Finds a document that other people may read than the author says.
fn others(suite: &Conformance, state: &State) -> Option<Failure> {
    let readers = suite.readers.as_ref()?;
    state.documents.iter().find_map(|document| {
        let (found, expected) = (people(state, document), readers(&document.id));
        let expected: BTreeSet<_> = expected.into_iter().collect();
        (found != expected).then(|| {
            let list = |people: BTreeSet<String>| match people.len() {
                0 => "nobody".to_owned(),
                _ => people.into_iter().collect::<Vec<_>>().join(", "),
            };
            Failure::new("other people may read a document than the test says")
                .fact("document", document.id.clone())
                .fact("may read", list(found))
                .fact("instead of", list(expected))
        })
    })
}

/// Returns the people who may read a document, also as members of a group.
fn people(state: &State, document: &Found) -> BTreeSet<String> {
    if document.is_public() {
        return [EVERYBODY.to_owned()].into();
    }
    let groups = document.groups().into_iter();
    let members = groups.flat_map(|group| match state.groups.get(group) {
        Some(members) => members.clone(),
        // A whole domain, such as `example.com`.
        None => vec![group.to_owned()],
    });
    let readers = document.readers().into_iter().map(str::to_owned);
    readers.chain(members).collect()
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
