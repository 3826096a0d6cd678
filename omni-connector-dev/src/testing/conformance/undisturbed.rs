//! Undisturbed runs, whose results all checks of a suite share. Each is executed once.

use std::sync::{Mutex, PoisonError, atomic::Ordering};

use anyhow::Result;
use omni_connector::SyncType;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{
    Conformance, Verdict,
    world::{State, World},
};
use crate::testing::{
    journal::Entry,
    source::{Change, Unable},
};

/// The results of undisturbed runs so far.
#[derive(Default)]
pub(super) struct Known {
    undisturbed: OnceCell<Result<Undisturbed, Verdict>>,
    /// The results of new connectors, by the change of the source before their first run.
    fresh: Mutex<Vec<(Change, Result<State, Unable>)>>,
}

/// What an undisturbed run brings.
pub(super) struct Undisturbed {
    pub(super) state: State,
    pub(super) calls: Vec<Entry>,
    /// The checkpoint; none if two undisturbed runs have different ones.
    pub(super) checkpoint: Option<Value>,
    /// Whether the connector declares incremental runs.
    pub(super) has_incremental: bool,
}

/// Returns the documents and the calls of an undisturbed run.
pub(super) async fn undisturbed(
    suite: &Conformance,
) -> Result<Result<(State, Vec<Entry>), Verdict>> {
    let found = watched(suite).await?;
    Ok(found.map(|found| (found.state.clone(), found.calls.clone())))
}

/// Returns an undisturbed run with its checkpoint.
pub(super) async fn watched(suite: &Conformance) -> Result<Result<&Undisturbed, Verdict>> {
    let undisturbed = &suite.known.undisturbed;
    let found = undisturbed.get_or_try_init(|| watch(suite)).await?;
    Ok(found.as_ref().map_err(Clone::clone))
}

async fn watch(suite: &Conformance) -> Result<Result<Undisturbed, Verdict>> {
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
    let checkpoint = world.checkpoint().await;
    let is_same = another.checkpoint().await == checkpoint;
    let state = if another.state().await? == state {
        state
    } else {
        suite.is_coarse.store(true, Ordering::Relaxed);
        world.state().await?
    };
    let modes = &world.setup.manifest.sync_modes;
    Ok(Ok(Undisturbed {
        has_incremental: modes.contains(&SyncType::Incremental),
        state,
        calls,
        checkpoint: is_same.then_some(checkpoint),
    }))
}

/// Returns what a connector brings that never saw the source without the change.
pub(super) async fn fresh(suite: &Conformance, change: &Change) -> Result<Result<State, Unable>> {
    let known = || {
        let fresh = &suite.known.fresh;
        fresh.lock().unwrap_or_else(PoisonError::into_inner)
    };
    let found = known().iter().find(|(of, _)| of == change).cloned();
    if let Some((_, found)) = found {
        return Ok(found);
    }
    let world = World::calm(suite).await?;
    let found = match world.change(change) {
        Ok(()) => {
            world.run(SyncType::Full).await?;
            Ok(world.state().await?)
        }
        Err(unable) => Err(unable),
    };
    known().push((change.clone(), found.clone()));
    Ok(found)
}
