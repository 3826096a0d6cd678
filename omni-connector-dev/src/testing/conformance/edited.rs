//! Checks of items that are unusual, and of items that change.

use anyhow::Result;
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict,
    changed::{Tried, changed},
    killed::undisturbed,
    world::World,
};
use crate::testing::source::{Change, Oddity};

pub(super) async fn items(suite: &Conformance) -> Result<Verdict> {
    let (expected, _) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let without = match changed(suite, &Change::Remove(1)).await? {
        Ok(found) => found.fresh,
        Err(unable) => return Ok(Verdict::LeftOut(unable.to_string())),
    };
    let of_item: Vec<_> = expected
        .documents
        .ids()
        .into_iter()
        .filter(|id| without.documents.get(id).is_none())
        .collect();
    let mut tried = Tried::default();
    for oddity in Oddity::ALL {
        let change = Change::Odd(1, oddity);
        let world = World::calm(suite).await?;
        if let Err(unable) = world.change(&change) {
            tried.left_out.push(unable.to_string());
            continue;
        }
        let ended = world.run(SyncType::Full).await?;
        let found = world.state().await?;
        let failure = |what: &str| Failure::new(what.to_owned()).fact("odd", change.to_string());
        let missing: Vec<_> = expected
            .documents
            .ids()
            .into_iter()
            .filter(|id| found.documents.get(id).is_none())
            .collect();
        let others: Vec<_> = missing
            .iter()
            .filter(|id| !of_item.contains(id))
            .copied()
            .collect();
        let skipped = ended
            .report
            .as_ref()
            .map_or(0, |report| report.failed + report.skipped);
        let failure = if !ended.is_completed() {
            let error = ended.progress.run.error_message.unwrap_or_default();
            failure("one odd item fails the run").fact("error", error)
        } else if !others.is_empty() {
            failure("one odd item costs others").fact("missing", others.join(", "))
        } else if found.documents.len() < expected.documents.len() && skipped == 0 {
            failure("an odd item is left out, and the report does not say so")
                .fact("missing", missing.join(", "))
        } else {
            tried.done.push(oddity.to_string());
            continue;
        };
        let failure = failure.help(
            "read items one by one, and report one that cannot be read with `ctx.item_failed`",
        );
        return Ok(Verdict::Failed(
            failure.store(world.keep(Check::Items, &change.to_string()).await),
        ));
    }
    Ok(tried.verdict())
}

pub(super) async fn changes(suite: &Conformance) -> Result<Verdict> {
    if let Err(verdict) = undisturbed(suite).await? {
        return Ok(verdict);
    }
    let mut tried = Tried::default();
    for change in [Change::Edit(1), Change::Rename(1), Change::Add] {
        let found = match changed(suite, &change).await? {
            Ok(found) => found,
            Err(unable) => {
                tried.left_out.push(unable.to_string());
                continue;
            }
        };
        if !found.is_completed || found.failures > 0 {
            let what = "the run after a change does not bring everything";
            return Ok(found
                .failed(Check::Changes, &change, what, Vec::new())
                .await);
        }
        let differences = found.after.documents.differences(&found.fresh.documents);
        // The check `deletes` reports surplus documents.
        let wrong: Vec<_> = differences
            .into_iter()
            .filter(|line| !line.ends_with("is surplus"))
            .collect();
        if !wrong.is_empty() {
            let what = "a change of the source does not arrive";
            return Ok(found.failed(Check::Changes, &change, what, wrong).await);
        }
        let moved: Vec<_> = found
            .before
            .documents
            .ids()
            .into_iter()
            .filter(|id| found.fresh.documents.get(id).is_none())
            .collect();
        if !moved.is_empty() && change != Change::Add {
            let lines = moved
                .iter()
                .map(|id| format!("{id} is another document now"))
                .collect();
            let what = "a document has another id after its item changed";
            return Ok(found.failed(Check::Changes, &change, what, lines).await);
        }
        tried.done.push(change.to_string());
    }
    Ok(tried.verdict())
}
