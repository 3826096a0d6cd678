//! Checks of items that are unusual, and of items that change.

use anyhow::Result;
use omni_connector::{RunReport, SyncType};

use super::{
    Check, Conformance, Failure, Verdict,
    changed::{Changed, Tried, changed, changed_during_a_run, has_incremental},
    undisturbed::{fresh, undisturbed},
    world::World,
};
use crate::testing::{
    Found,
    source::{Change, Oddity, Unable},
};

pub(super) async fn items(suite: &Conformance) -> Result<Verdict> {
    let (expected, _) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let without = match fresh(suite, &Change::Remove(1)).await? {
        Ok(found) => found,
        Err(unable) => return Ok(Verdict::LeftOut(unable.to_string())),
    };
    let of_item: Vec<_> = expected
        .documents
        .ids()
        .into_iter()
        .filter(|id| without.documents.get(id).is_none())
        .collect();
    let item = of_item.first().and_then(|id| expected.documents.get(id));
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
        let failure = |what: &str| {
            let failure = Failure::new(what.to_owned()).fact("odd", change.to_string());
            match item {
                Some(item) => failure.fact("item", name_of(item)),
                None => failure,
            }
        };
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
        let report = ended.report.clone().unwrap_or_default();
        let is_left_out = found.documents.len() < expected.documents.len();
        let failure = if !ended.is_completed() {
            let error = ended.progress.run.error_message.unwrap_or_default();
            failure("one odd item fails the run").fact("error", error)
        } else if !others.is_empty() {
            failure("one odd item costs others").fact("missing", others.join(", "))
        } else if is_left_out && report.failed + report.skipped == 0 {
            failure("an odd item is left out, and the report does not say so")
                .fact("missing", missing.join(", "))
        } else if is_left_out
            && let Some((what, said)) = item.and_then(|item| unnamed(&report, item, oddity))
        {
            failure(what).fact("report", said)
        } else {
            tried.done.push(oddity.to_string());
            continue;
        };
        let failure = failure.help(
            "read items one by one, and report one that cannot be read with `ctx.item_failed`, with its id and its link",
        );
        return Ok(Verdict::Failed(
            failure.store(world.keep(Check::Items, &change.to_string()).await),
        ));
    }
    Ok(tried.verdict())
}

/// Returns the id, the title and the link of an item.
fn name_of(item: &Found) -> String {
    let link = item.url().unwrap_or("it has no link");
    format!("{} {:?}, {link}", item.id, item.title)
}

/// Returns what the report does not say of an item that is left out, with what it says.
fn unnamed(report: &RunReport, item: &Found, oddity: Oddity) -> Option<(&'static str, String)> {
    let failures = report.failures.iter();
    let failures = failures.map(|failure| (&failure.item, failure.link.as_deref()));
    // A skip says a reason in place of a link.
    let skips = report.skips.iter().map(|skip| (&skip.item, Some("")));
    let said: Vec<_> = failures.chain(skips).collect();
    let is_same = |name: &str| {
        let names = [&item.id, &item.title];
        let is_name = |own: &&String| own.contains(name) || name.contains(own.as_str());
        !name.is_empty() && names.iter().any(is_name)
    };
    // Its name is another one then.
    let is_renamed = [Oddity::NoTitle, Oddity::StrangeId, Oddity::LongId].contains(&oddity);
    let of_item: Vec<_> = said
        .iter()
        .filter(|(name, _)| is_renamed || is_same(name))
        .collect();
    let what = if of_item.is_empty() {
        "an odd item is left out, and the report does not name it"
    } else if item.url().is_some() && of_item.iter().all(|(_, link)| link.is_none()) {
        "an odd item is left out, and the report does not have its link"
    } else {
        return None;
    };
    let lines = said.iter().map(|(name, link)| match link {
        Some(link) => format!("{name} {link}"),
        None => format!("{name}, without a link"),
    });
    Some((what, lines.collect::<Vec<_>>().join("\n")))
}

pub(super) async fn changes(suite: &Conformance) -> Result<Verdict> {
    let (_, calls) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let mut tried = Tried::default();
    let modes: &[_] = if has_incremental(suite).await? {
        &[SyncType::Full, SyncType::Incremental]
    } else {
        &[SyncType::Full]
    };
    for change in [
        Change::Edit(1),
        Change::Rename(1),
        Change::Move(1),
        Change::Add,
    ] {
        match not_arrived(suite, &change, modes).await? {
            Err(unable) => tried.left_out.push(unable.to_string()),
            Ok(Some(verdict)) => return Ok(verdict),
            Ok(None) => tried.done.push(change.to_string()),
        }
    }
    if modes.contains(&SyncType::Incremental) {
        let change = Change::EditNow(1);
        match changed_during_a_run(suite, &change, &calls).await? {
            Err(unable) => tried.left_out.push(unable.to_string()),
            Ok(found) => {
                let lines = found.after.documents.differences(&found.fresh.documents);
                let is_text = |line: &String| {
                    let parts = line.rsplit("has another ").next();
                    parts.is_some_and(|parts| parts.contains("text"))
                };
                let lines: Vec<_> = lines.into_iter().filter(is_text).collect();
                if !lines.is_empty() {
                    let what =
                        "a change during a run does not arrive with the incremental run after it";
                    let verdict = found.failed_with(Check::Changes, &change, what, lines, HELP);
                    return Ok(verdict.await);
                }
                tried.done.push(change.to_string());
            }
        }
    }
    Ok(tried.verdict())
}

/// Checks that a change arrives with a run of each mode.
async fn not_arrived(
    suite: &Conformance,
    change: &Change,
    modes: &[SyncType],
) -> Result<Result<Option<Verdict>, Unable>> {
    for mode in modes {
        let found = match changed(suite, change, *mode).await? {
            Ok(found) => found,
            Err(unable) => return Ok(Err(unable)),
        };
        if let Some((what, lines)) = wrong(&found, change, *mode) {
            let what = match mode {
                SyncType::Full => what.to_owned(),
                _ => format!("{what} with an incremental run"),
            };
            let verdict = found.failed(Check::Changes, change, &what, lines).await;
            return Ok(Ok(Some(verdict)));
        }
    }
    Ok(Ok(None))
}

/// The help for a change that happens during a run.
const HELP: &str = "ask for changes since the newest time that the source gave, or since a time before the run began; clocks differ";

/// Returns what is wrong after a change, with the differences.
fn wrong(found: &Changed, change: &Change, mode: SyncType) -> Option<(&'static str, Vec<String>)> {
    if !found.is_completed || found.failures > 0 {
        let what = "the run after a change does not bring everything";
        return Some((what, Vec::new()));
    }
    let differences = found.after.documents.differences(&found.fresh.documents);
    // The check `deletes` reports surplus documents.
    let wrong: Vec<_> = differences
        .into_iter()
        .filter(|line| !line.ends_with("is surplus"))
        // An incremental run may leave documents whose text is the same, such as pages with another menu.
        .filter(|line| mode == SyncType::Full || !line.ends_with("has another metadata"))
        .collect();
    if !wrong.is_empty() {
        return Some(("a change of the source does not arrive", wrong));
    }
    let moved: Vec<_> = found
        .before
        .documents
        .ids()
        .into_iter()
        .filter(|id| found.fresh.documents.get(id).is_none())
        .map(|id| format!("{id} is another document now"))
        .collect();
    let is_wrong = !moved.is_empty() && *change != Change::Add;
    is_wrong.then_some(("a document has another id after its item changed", moved))
}
