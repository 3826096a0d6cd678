//! Checks of runs whose source is gone as a whole, for sources that are not called over HTTP: a folder that is not
//! mounted, a database that is down.

use anyhow::Result;
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict,
    undisturbed::undisturbed,
    world::{Attempt, World},
};
use crate::testing::source::Change;

/// Takes the source away for a run: the first one, and one that could delete.
pub(super) async fn unreachable(suite: &Conformance) -> Result<Verdict> {
    let (expected, _) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    for has_documents in [false, true] {
        let world = World::calm(suite).await?;
        if has_documents {
            world.run(SyncType::Full).await?;
        }
        if world.change(&Change::Vanish).is_err() {
            return Ok(Verdict::LeftOut("the connector calls no source".to_owned()));
        }
        let during = world.attempt(SyncType::Full).await?;
        let found = world.state().await?;
        world.change(&Change::Restore)?;
        let after = world.attempt(SyncType::Full).await?;
        let differences = world.state().await?.differences(&expected);
        let lost = found.documents.differences(&expected.documents);
        let failure = if let Attempt::Hangs(message) = &during {
            Failure::new("a run hangs when the source cannot be reached")
                .fact("then", message.clone())
        } else if during.is_flawless() && !lost.is_empty() {
            Failure::new(
                "a run is completed though the source cannot be reached, and reports no failure",
            )
            .fact("missing", lost.join("\n"))
            .help("pass the error on with `?`; a source that cannot be opened is not an empty one")
        } else if has_documents && lost.iter().any(|line| line.ends_with("is missing")) {
            Failure::new("documents were deleted because the source could not be reached")
                .fact("deleted", lost.join("\n"))
                .help("finish a walk only after the source was read to its end without an error")
        } else if !after.is_completed() || !differences.is_empty() {
            Failure::new("the run after the source came back does not bring everything")
                .fact("error", after.error())
                .fact("missing", differences.join("\n"))
        } else {
            continue;
        };
        let store = world.keep(Check::SourceFaults, "unreachable").await;
        return Ok(Verdict::Failed(failure.store(store)));
    }
    Ok(Verdict::Passed(
        "the source is gone for a first run, and for one with documents (left out: single calls, which are not made over HTTP)"
            .to_owned(),
    ))
}
