//! Tests that each mistake is caught by its check, and by no other.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use omni_connector_dev::{
    Manager, Storage,
    store::{StoreError, documents, sources},
    testing::{Check, Conformance, Verdict, options},
};
use serde_json::json;

use crate::source::{ISSUES, tracker};

/// The mistakes of `src/bin/tracker`, each with its check.
const MISTAKES: &[(&str, Check)] = &[
    ("the last item of a page is lost", Check::Completes),
    ("the time of the run is in the text", Check::Idle),
    ("the checkpoint runs ahead", Check::Resume),
    ("what a killed process saw is deleted", Check::Resume),
    ("a run that is resumed twice ends early", Check::Resume),
    ("a signal is ignored", Check::Stops),
    (
        "a failed call to the manager is not repeated",
        Check::ManagerFaults,
    ),
    (
        "a manager that is away for a moment ends the run",
        Check::ManagerFaults,
    ),
    ("html is an empty list", Check::SourceFaults),
    ("errors are ignored", Check::SourceFaults),
    ("a failed page is the end", Check::SourceFaults),
    ("a storm of retries", Check::SourceFaults),
    ("a short page is the end", Check::Walks),
    ("an empty page is the end", Check::Walks),
    ("a repeated token is followed", Check::Walks),
    ("a repeated token is the end", Check::Walks),
    ("nothing is deleted", Check::Deletes),
    ("deletes name another id", Check::Deletes),
    ("accidents are deleted", Check::Deletes),
    ("everything is public", Check::Access),
    ("readers are names", Check::Access),
    ("readers are read from the watchers", Check::Access),
    ("a group that nobody sends", Check::Access),
    ("groups are never sent", Check::Access),
    ("unknown readers are everybody", Check::Access),
    ("readers are sent once", Check::Access),
    ("an empty group is not sent", Check::Access),
    ("members only come", Check::Access),
    ("members are kept in memory", Check::Access),
    ("unknown members are none", Check::Access),
    ("an odd item fails the run", Check::Items),
    ("an odd item is left out silently", Check::Items),
    ("an early time fails the run", Check::Items),
    ("a long id fails the run", Check::Items),
    ("an odd item ends its page", Check::Items),
    ("texts are sent once", Check::Changes),
    ("titles are sent once", Check::Changes),
    ("the id is made of the title", Check::Changes),
    ("operators without attributes", Check::Operators),
    ("values of operators have blanks", Check::Operators),
    ("a caller's mistake is 500", Check::Actions),
    ("a write before the check", Check::Actions),
    ("an action hides what the source refuses", Check::Actions),
    ("a refusal of the source is 500", Check::Actions),
    ("every page is read from the first one on", Check::Load),
    ("all pages are kept in memory", Check::Load),
    ("the key is logged", Check::Secrets),
    ("the key is in a document", Check::Secrets),
];

pub(crate) fn suite(mistake: &str) -> Conformance {
    Conformance::of(
        "omni-connector-tests-testkit",
        env!("CARGO_MANIFEST_DIR"),
        env!("CARGO_BIN_EXE_tracker"),
    )
    .source(tracker)
    .config(|source| json!({ "api_url": source.url() }))
    .credentials(json!({ "api_key": "canary-7f3a" }))
    .documents(ISSUES)
    .boundaries(24)
    .env("MISTAKE", mistake)
}

/// Returns the checks that fail, with their messages.
fn failed(mistake: &str, checks: &[Check]) -> Vec<(Check, String)> {
    let suite = suite(mistake);
    let run = |check: &Check| match suite.run(*check) {
        Verdict::Failed(failure) => Some((*check, failure.to_string())),
        Verdict::Passed(_) | Verdict::LeftOut(_) => None,
    };
    checks.iter().filter_map(run).collect()
}

#[test]
fn a_connector_without_a_mistake_passes_every_check() {
    for check in Check::ALL {
        let began = std::time::Instant::now();
        let verdict = suite("").run(check);
        println!(
            "{:<14} {:>5.1} s  {verdict}",
            check.name(),
            began.elapsed().as_secs_f64()
        );
        assert!(!verdict.is_failed(), "{verdict}");
    }
}

#[test]
fn a_connector_that_refuses_a_source_which_fails_passes() {
    let suite = suite("no mistake: the source is asked whether the key is known");
    for check in [Check::Completes, Check::SourceFaults, Check::Secrets] {
        let verdict = suite.run(check);
        assert!(matches!(verdict, Verdict::Passed(_)), "{verdict}");
    }
}

/// Tests a sample of the mistakes, each with its check. `OMNI_TEST_MISTAKE` selects by a part of the name.
#[test]
fn each_mistake_is_caught_by_the_check_that_claims_it() {
    let chosen = std::env::var("OMNI_TEST_MISTAKE").unwrap_or_default();
    let mistakes: Vec<_> = MISTAKES
        .iter()
        .filter(|(mistake, _)| mistake.contains(&chosen))
        .collect();
    // Each check mostly waits for processes.
    let share = mistakes.len().div_ceil(3).max(1);
    let missed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for share in mistakes.chunks(share) {
            let missed = &missed;
            scope.spawn(move || {
                for (mistake, check) in share {
                    match failed(mistake, &[*check]).first() {
                        Some((_, text)) => println!("== {mistake}\n{text}\n"),
                        None => {
                            println!("{mistake}: {}", suite(mistake).run(*check));
                            missed.lock().unwrap().push(mistake);
                        }
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

#[test]
fn a_failure_says_what_was_lost_why_and_how_to_repeat_it_and_keeps_the_run() {
    let Verdict::Failed(failure) = suite("the checkpoint runs ahead").run(Check::Resume) else {
        panic!("the mistake is not caught")
    };
    let text = failure.to_string();
    for part in [
        "resume … FAILED: a process that is killed loses something",
        "\n  killed      ",
        "\n  resumed     from {\"cursor\":",
        "\n  lost        issue-OPS-",
        " of 13 documents are missing",
        "\n  because     a checkpoint was saved after `GET /issues` had brought issue-OPS-",
        "\nhelp: save a checkpoint only after ",
        "\nrepeat: OMNI_TEST_POINT='",
        "' cargo test -p omni-connector-tests-testkit resume",
        "\nlook: cargo omni dev omni-connector-tests-testkit --store ",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    // Beside the failed run is one without faults, and the list of calls.
    let folder = failure.kept_at().unwrap();
    let calls = std::fs::read_to_string(folder.join("calls.txt")).unwrap();
    assert!(calls.contains("source  /issues 200"), "{calls}");
    let mut options = options();
    options.storage = Storage::Folder(folder.to_owned());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let documents = runtime.block_on(async {
        let manager = Manager::start(options).await.unwrap();
        let read = manager.store().read(|db| {
            let mut found = Vec::new();
            for source in sources::all(db)? {
                let documents = documents::of_source(db, &source.id)?;
                found.push((source.name, documents.len()));
            }
            Ok::<_, StoreError>(found)
        });
        let mut found = read.await.unwrap();
        manager.shutdown().await;
        found.sort();
        found
    });
    let [(failed, some), (good, all)] = &documents[..] else {
        panic!("{documents:?}")
    };
    assert_eq!((&**failed, &**good, *all), ("test", "undisturbed", ISSUES));
    assert!(*some < ISSUES, "{documents:?}");
}

/// Takes several minutes: runs every check on every mistake. `OMNI_TEST_MISTAKE` selects mistakes by a part of the name,
/// `OMNI_TEST_CHECKS` the checks by their names, with commas.
#[test]
#[ignore = "every check on every mistake takes minutes: run it with `--ignored`"]
fn no_mistake_is_caught_by_a_check_that_does_not_claim_it() {
    let chosen = std::env::var("OMNI_TEST_MISTAKE").unwrap_or_default();
    let mistakes: Vec<_> = MISTAKES
        .iter()
        .filter(|(mistake, _)| mistake.contains(&chosen))
        .collect();
    let checks = std::env::var("OMNI_TEST_CHECKS").ok();
    let is_chosen = |check: &Check| {
        let names = checks.as_deref().map(|names| names.split(','));
        names.is_none_or(|mut names| names.any(|name| name == check.name()))
    };
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    // The checks mostly wait.
    thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                while let Some((mistake, claimed)) =
                    mistakes.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let others: Vec<_> = Check::ALL
                        .into_iter()
                        .filter(|check| check != claimed && is_chosen(check))
                        .collect();
                    let failed = failed(mistake, &others);
                    println!(
                        "{mistake}: {:?}",
                        failed
                            .iter()
                            .map(|(check, _)| check.name())
                            .collect::<Vec<_>>()
                    );
                    let texts = failed
                        .into_iter()
                        .map(|(_, text)| format!("== {mistake}\n{text}"));
                    wrong.lock().unwrap().extend(texts);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
