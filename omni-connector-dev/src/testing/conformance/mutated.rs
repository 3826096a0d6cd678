//! Checks runs against a tape whose answers are changed, one after the other. What must follow depends only on the kind
//! of the change.

use std::{collections::HashMap, mem::discriminant};

use anyhow::Result;
use futures_util::{StreamExt, stream};
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict,
    killed::AT_ONCE,
    undisturbed::undisturbed,
    world::{Attempt, State, World},
};
use crate::testing::{
    mutation::{Consequence, Mutation},
    random::Random,
    source::Change,
};

pub(super) async fn mutations(suite: &Conformance) -> Result<Verdict> {
    let mut mutations = suite
        .source
        .as_ref()
        .map(|start| start().mutations())
        .unwrap_or_default();
    if mutations.is_empty() {
        return Ok(Verdict::LeftOut("the source is no tape".to_owned()));
    }
    let (expected, _) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let count = mutations.len();
    Random::new(41).leave(suite.boundaries, &mut mutations);
    mix(&mut mutations);
    let (tried, expected) = (mutations.len(), &expected);
    let trials = mutations
        .into_iter()
        .map(|mutation| async move { mutated(suite, &mutation, expected).await });
    let mut trials = stream::iter(trials).buffer_unordered(AT_ONCE);
    while let Some(trial) = trials.next().await {
        if let Some(failure) = trial? {
            return Ok(Verdict::Failed(failure));
        }
    }
    Ok(Verdict::Passed(format!("{tried} of {count} mutations")))
}

/// Sorts mutations so that the first one of each kind comes first, then the second ones. So a mistake is found early.
fn mix(mutations: &mut [Mutation]) {
    let mut counts = HashMap::new();
    let places = mutations.iter().map(|mutation| {
        let count = counts.entry(discriminant(mutation)).or_insert(0);
        *count += 1;
        (*count, mutation.to_string())
    });
    let places: HashMap<_, _> = places.map(|(place, name)| (name, place)).collect();
    mutations.sort_by_key(|mutation| places.get(&mutation.to_string()).copied());
}

async fn mutated(
    suite: &Conformance,
    mutation: &Mutation,
    expected: &State,
) -> Result<Option<Failure>> {
    let change = Change::Mutate(mutation.clone());
    let failed =
        |what: &str| Failure::new(what).fact("changed", format!("the tape has {mutation}"));
    let keep = async |world: &World, failure: Failure| {
        let store = world.keep(Check::Mutations, &mutation.to_string()).await;
        Ok(Some(failure.store(store)))
    };

    // A connector that never saw the tape without the mutation.
    let new = World::calm(suite).await?;
    new.change(&change)?;
    let first = new.attempt(SyncType::Full).await?;
    let fresh = new.state().await?;
    let missing = gone(&fresh, expected);
    let failure = match (&first, mutation.consequence()) {
        (Attempt::Hangs(message), _) => Some(failed("a run hangs").fact("then", message.clone())),
        (_, Consequence::Nothing) => {
            let differences = fresh.differences(expected);
            let is_whole = first.is_completed() && differences.is_empty();
            (!is_whole).then(|| {
                failed("a run does not bring everything, though the source has it")
                    .fact("error", first.error())
                    .fact("missing", differences.join("\n"))
            })
        }
        (_, Consequence::Failure) if first.is_flawless() && !missing.is_empty() => Some(
            failed(
                "a run is completed without what the source did not give, and reports no failure",
            )
            .fact("missing", missing.join("\n"))
            .help("pass the error on with `?`, or report the item with `ctx.item_failed`"),
        ),
        _ => None,
    };
    if let Some(failure) = failure.or_else(|| opened(&fresh, expected, &failed)) {
        return keep(&new, failure).await;
    }

    // A connector that knows the documents.
    let world = World::calm(suite).await?;
    world.run(SyncType::Full).await?;
    world.change(&change)?;
    let second = world.attempt(SyncType::Full).await?;
    let after = world.state().await?;
    let mut deleted = gone(&after, expected);
    if mutation.consequence() == Consequence::Loss {
        deleted.retain(|line| !missing.contains(line));
    }
    if let Attempt::Hangs(message) = &second {
        let failure = failed("a second run hangs").fact("then", message.clone());
        return keep(&world, failure).await;
    }
    if !deleted.is_empty() {
        let failure = failed("documents were deleted that the source did not say are gone")
            .fact("deleted", deleted.join("\n"))
            .help("delete only what `Listing::finish` or `Walk::finish` says after a walk without an error");
        return keep(&world, failure).await;
    }
    if let Some(failure) = opened(&after, expected, &failed) {
        return keep(&world, failure).await;
    }

    world.change(&Change::Restore)?;
    let last = world.attempt(SyncType::Full).await?;
    let differences = world.state().await?.differences(expected);
    if last.is_completed() && differences.is_empty() {
        return Ok(None);
    }
    let failure = failed("the run after it does not bring everything")
        .fact("error", last.error())
        .fact("missing", differences.join("\n"));
    keep(&world, failure).await
}

/// Describes the documents that a state lacks.
fn gone(state: &State, expected: &State) -> Vec<String> {
    let mut lines = state.documents.differences(&expected.documents);
    lines.retain(|line| line.ends_with("is missing"));
    lines
}

/// Finds a document that everybody may read now.
fn opened(state: &State, expected: &State, failed: &dyn Fn(&str) -> Failure) -> Option<Failure> {
    let mut public = state
        .documents
        .iter()
        .filter(|document| document.is_public());
    let is_new = |id: &str| {
        expected
            .documents
            .get(id)
            .is_some_and(|before| !before.is_public())
    };
    let document = public.find(|document| is_new(&document.id))?;
    let failure = failed("a document became public").fact("document", document.id.clone());
    Some(failure.help("take access that cannot be read as `DocumentPermissions::private()`"))
}
