//! Checks of undisturbed runs: the manifest, a full run, and a second run.

use std::{collections::BTreeSet, fs};

use anyhow::Result;
use omni_connector::{SyncType, schema};

use super::{
    Check, Conformance, Failure, Verdict, meaning,
    world::{Attempt, World},
};
use crate::{rules::golden_file, testing::snapshot::changed_lines};

pub(super) async fn manifest(suite: &Conformance) -> Result<Verdict> {
    let world = World::calm(suite).await?;
    let manifest = &world.setup.manifest;
    let problems = schema::check(manifest);
    if !problems.is_empty() {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        return Ok(Verdict::Failed(
            Failure::new("Omni has doubts about the manifest")
                .fact("problems", problems.join("\n")),
        ));
    }
    let text = golden_file(manifest)?;
    let path = suite.folder.join("tests/manifest.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text)?;
    }
    let Ok(kept) = fs::read_to_string(&path) else {
        return Ok(Verdict::Passed(
            "no doubts; `UPDATE=1` writes `tests/manifest.json`, which shows later changes"
                .to_owned(),
        ));
    };
    let changes = changed_lines(&kept, &text);
    if changes.is_empty() {
        return Ok(Verdict::Passed(
            "no doubts, and as in `tests/manifest.json`".to_owned(),
        ));
    }
    let failure = Failure::new("the manifest is not the one in `tests/manifest.json`")
        .fact("changes", changes)
        .help("accept them with `UPDATE=1 cargo test manifest`");
    Ok(Verdict::Failed(failure))
}

pub(super) async fn completes(suite: &Conformance) -> Result<Verdict> {
    let world = World::calm(suite).await?;
    let ended = match world.attempt(SyncType::Full).await? {
        Attempt::Ended(ended) => ended,
        Attempt::Refused(message) => {
            let failure = Failure::new("the connector refuses the run").fact("error", message);
            let help = "accept the config and the credentials of the test in `#[validate]`";
            return Ok(Verdict::Failed(failure.help(help)));
        }
        Attempt::Hangs(message) => {
            let failure = Failure::new("the run hangs").fact("then", message);
            return Ok(Verdict::Failed(failure));
        }
    };
    let run = &ended.progress.run;
    if !ended.is_completed() {
        let failure = Failure::new(format!("the run is {:?}", run.status))
            .fact("error", run.error_message.clone().unwrap_or_default());
        return Ok(Verdict::Failed(
            failure.store(world.keep(Check::Completes, "full").await),
        ));
    }
    let refused = world.setup.manager.refused_events(&run.id, 5).await?;
    if !refused.is_empty() {
        let failure =
            Failure::new("Omni refuses events of the run").fact("refused", format!("{refused:?}"));
        return Ok(Verdict::Failed(failure));
    }
    if ended.failures() > 0 {
        let failures = ended
            .report
            .map(|report| format!("{:?}", report.failures))
            .unwrap_or_default();
        return Ok(Verdict::Failed(
            Failure::new("items failed in an undisturbed run").fact("failures", failures),
        ));
    }
    let found = world.setup.documents().await.len();
    if let Some(expected) = suite.documents.filter(|expected| *expected != found) {
        let failure = Failure::new(format!(
            "the run brings {found} documents instead of {expected}"
        ))
        .fact("documents", world.setup.documents().await.ids().join(", "));
        return Ok(Verdict::Failed(
            failure.store(world.keep(Check::Completes, "full").await),
        ));
    }
    let state = world.state().await?;
    for (expected, found, what) in [
        (suite.people, state.people.len(), "people"),
        (suite.groups, state.groups.len(), "groups with members"),
    ] {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            let what = format!("the run brings {found} {what} instead of {expected}");
            let store = world.keep(Check::Completes, "full").await;
            return Ok(Verdict::Failed(Failure::new(what).store(store)));
        }
    }
    if found == 0 && suite.documents.is_none() {
        return Ok(Verdict::Failed(
            Failure::new("the run brings no documents")
                .help("say `documents: 0` where that is right"),
        ));
    }
    let problems = world
        .source
        .as_ref()
        .map(|source| source.problems())
        .unwrap_or_default();
    if !problems.is_empty() {
        let failure = Failure::new("the source was sent what it does not know")
            .fact("problems", problems.join("\n"));
        return Ok(Verdict::Failed(failure));
    }
    Ok(Verdict::Passed(format!("{found} documents")))
}

pub(super) async fn idle(suite: &Conformance) -> Result<Verdict> {
    let world = World::calm(&suite.anew()).await?;
    world.run(SyncType::Full).await?;
    let (before, first) = (world.state().await?, world.calls().len());
    // Each list may be asked for a page of changes, and for an empty one that ends it.
    let routes = world.calls().into_iter().map(|call| call.route);
    let lists = routes.collect::<BTreeSet<_>>().len();
    let has_incremental = world
        .setup
        .manifest
        .sync_modes
        .contains(&SyncType::Incremental);
    let checkpoint = world.checkpoint().await;
    let modes = [SyncType::Full, SyncType::Incremental];
    for mode in &modes[..=usize::from(has_incremental)] {
        let calls = world.calls().len();
        let ended = world.run(*mode).await?;
        let calls = world.calls().len() - calls;
        let effects = ended.progress.effects;
        let changed = effects.created + effects.updated + effects.deleted;
        let differences = world.state().await?.differences(&before);
        if changed > 0 || !differences.is_empty() {
            let failure = Failure::new(format!(
                "a second run ({mode:?}) changes documents though the source did not change"
            ))
            .fact(
                "effects",
                format!(
                    "{} created, {} updated, {} deleted",
                    effects.created, effects.updated, effects.deleted
                ),
            )
            .fact("changes", differences.join("\n"))
            .help("send nothing that differs from run to run, such as the time of the run");
            return Ok(Verdict::Failed(
                failure.store(world.keep(Check::Idle, "second").await),
            ));
        }
        let now = world.checkpoint().await;
        if *mode == SyncType::Full && now != checkpoint {
            let what = "a second run changes the checkpoint though the source did not change";
            let failure = Failure::new(what)
                .fact("changes", meaning::differences(&now, &checkpoint))
                .help("keep in the checkpoint what the source says, and no counters of runs; times of the present and ids of runs do not count");
            let store = world.keep(Check::Idle, "checkpoint").await;
            return Ok(Verdict::Failed(failure.store(store)));
        }
        if *mode == SyncType::Incremental && calls > first / 10 + 2 * lists {
            let failure = Failure::new(format!(
                "an incremental run without a change makes {calls} calls to the source; the full run made {first}"
            ));
            return Ok(Verdict::Failed(
                failure.help("ask the source only for what changed since the last run"),
            ));
        }
    }
    Ok(Verdict::Passed("a second run changes nothing".to_owned()))
}
