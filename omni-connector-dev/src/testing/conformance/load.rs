//! Checks a source that grows: memory and calls to the source must not grow out of proportion.

use anyhow::Result;
use omni_connector::SyncType;

use super::{
    Check, Conformance, Failure, Verdict,
    world::{Attempt, PATIENCE, World},
};
use crate::testing::source::{Change, Unable};

/// The items of the smaller source, if the author names no number. A connector needs most of its memory for other things.
pub(super) const FEW: usize = 200;
/// How much larger the other source is.
const TIMES: usize = 10;
/// The most memory for it, in hundredths of that for the smaller source.
const MEMORY: u64 = 150;
/// The most calls for an item, in hundredths of those for the smaller source.
const CALLS: usize = 120;

/// A full run of a source with some number of items.
struct Run {
    world: World,
    attempt: Attempt,
    documents: usize,
    calls: usize,
    memory: Option<u64>,
}

pub(super) async fn load(suite: &Conformance) -> Result<Verdict> {
    let mut runs = Vec::new();
    let few = suite.items;
    for items in [few, few * TIMES] {
        match run(suite, items).await? {
            Ok(run) => runs.push(run),
            Err(Unable(reason)) => return Ok(Verdict::LeftOut(reason)),
        }
    }
    let [small, large] = &runs[..] else {
        unreachable!("there are two runs")
    };
    let said = |run: &Run| {
        let memory = run
            .memory
            .map(|bytes| format!(", {} MB of memory", bytes >> 20));
        format!(
            "{} documents, {} calls{}",
            run.documents,
            run.calls,
            memory.unwrap_or_default()
        )
    };
    let failed = |what: &str, help: &str| {
        let failure = Failure::new(what)
            .fact("small", said(small))
            .fact("large", said(large));
        Verdict::Failed(failure.help(help))
    };
    if large.calls * 100 > small.calls * TIMES * CALLS {
        let what = "the calls for an item grow with the source";
        return Ok(failed(
            what,
            "read each page once, and ask for several items with one call",
        ));
    }
    for (run, items) in [(small, few), (large, few * TIMES)] {
        if !run.attempt.is_completed() {
            let failure = Failure::new(format!("a run with {items} items does not complete"))
                .fact("error", run.attempt.error());
            let store = run.world.keep(Check::Load, "run").await;
            return Ok(Verdict::Failed(failure.store(store)));
        }
    }
    if small.documents == 0 || large.documents < small.documents * 2 {
        let reason = "the number of documents does not depend on the number of items";
        return Ok(Verdict::LeftOut(reason.to_owned()));
    }
    if let (Some(some), Some(many)) = (small.memory, large.memory)
        && many * 100 > some * MEMORY
    {
        let what = "the memory grows with the source";
        let help =
            "send each item when it is read, and keep only its id, for example in an `Inventory`";
        return Ok(failed(what, help));
    }
    Ok(Verdict::Passed(format!("{}; {}", said(small), said(large))))
}

async fn run(suite: &Conformance, items: usize) -> Result<Result<Run, Unable>> {
    let world = World::calm(suite).await?;
    if let Err(unable) = world.change(&Change::Grow(items)) {
        return Ok(Err(unable));
    }
    let attempt = world.attempt_within(SyncType::Full, PATIENCE * 3).await?;
    Ok(Ok(Run {
        documents: world.setup.documents().await.len(),
        calls: world.calls().len(),
        memory: world.setup.process.peak_memory(),
        attempt,
        world,
    }))
}
