//! Tests that each mistake is caught by its check, and by no other.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
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
    ("the checkpoint counts the runs", Check::Idle),
    ("the checkpoint runs ahead", Check::Resume),
    ("what a killed process saw is deleted", Check::Resume),
    ("a run that is resumed twice ends early", Check::Resume),
    ("a resumed run leaves a mark", Check::Resume),
    ("a signal is ignored", Check::Stops),
    ("a cancelled run goes on", Check::Stops),
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
    ("a single full page fails the run", Check::Walks),
    ("an item that comes twice fails the run", Check::Walks),
    (
        "an item that is gone when it is read fails the run",
        Check::Walks,
    ),
    (
        "a token that the source no longer knows is the end",
        Check::Walks,
    ),
    ("nothing is deleted", Check::Deletes),
    ("deletes name another id", Check::Deletes),
    ("accidents are deleted", Check::Deletes),
    ("one document is deleted in a run", Check::Deletes),
    (
        "an incremental run forgets the known documents",
        Check::Deletes,
    ),
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
    ("an empty group keeps a member", Check::Access),
    (STRANGER, Check::Access),
    ("an odd item fails the run", Check::Items),
    ("an odd item is left out silently", Check::Items),
    ("an early time fails the run", Check::Items),
    ("a long id fails the run", Check::Items),
    ("an odd item ends its page", Check::Items),
    ("a report does not name the odd item", Check::Items),
    ("a report has no link to the odd item", Check::Items),
    ("a byte that is not UTF-8 fails the run", Check::Items),
    ("an unknown project fails the run", Check::Items),
    ("texts are sent once", Check::Changes),
    ("titles are sent once", Check::Changes),
    ("projects are sent once", Check::Changes),
    ("the watermark is now()", Check::Changes),
    ("the id is made of the title", Check::Changes),
    ("operators without attributes", Check::Operators),
    ("values of operators have blanks", Check::Operators),
    ("a caller's mistake is 500", Check::Actions),
    ("a write before the check", Check::Actions),
    ("an action hides what the source refuses", Check::Actions),
    ("a refusal of the source is 500", Check::Actions),
    ("a false hides what the source refuses", Check::Actions),
    ("an unknown person is 500", Check::Actions),
    ("an action panics without a credential", Check::Actions),
    ("a missing credential is not named", Check::Actions),
    ("every page is read from the first one on", Check::Load),
    ("all pages are kept in memory", Check::Load),
    ("an old checkpoint is refused", Check::OldState),
    ("an old config is refused", Check::OldState),
    ("an old credential is refused", Check::OldState),
    ("the key is logged", Check::Secrets),
    ("the key is in a document", Check::Secrets),
    ("the key is in a link", Check::Secrets),
];

pub(crate) fn suite(mistake: &str) -> Conformance {
    let suite = Conformance::of(
        "omni-connector-tests-testkit",
        env!("CARGO_MANIFEST_DIR"),
        env!("CARGO_BIN_EXE_tracker"),
    )
    .source(tracker)
    .config(|source| json!({ "api_url": source.url() }))
    .credentials(json!({ "api_key": "canary-7f3a" }))
    .documents(ISSUES)
    .boundaries(24)
    .env("MISTAKE", mistake);
    // With the readers, the check `access` finds some mistakes in two ways. Each must be found without them.
    if ["", STRANGER].contains(&mistake) {
        suite.readers(|_| vec!["ada@example.com", "bo@example.com"])
    } else {
        suite
    }
}

/// The mistake that only the option `readers` finds.
const STRANGER: &str = "a stranger may read everything";

/// Returns why a check cannot see a mistake of another check; none if it may.
fn cannot_see(check: Check, claimed: Check) -> Option<&'static str> {
    /// What shows only when a run is disturbed or repeated, or when the source changes.
    const LATER: [Check; 8] = [
        Check::Resume,
        Check::Stops,
        Check::ManagerFaults,
        Check::SourceFaults,
        Check::Walks,
        Check::Deletes,
        Check::Items,
        Check::Changes,
    ];
    match check {
        Check::Manifest => Some("all mistakes have the same manifest"),
        Check::Mutations | Check::Fake => Some("there is no tape"),
        Check::Actions => Some("it starts no run"),
        _ if claimed == Check::Actions => Some("it calls no action"),
        Check::Load if LATER.contains(&claimed) => {
            Some("it makes a first run of an undisturbed source, as `completes` does")
        }
        _ => None,
    }
}

/// The items of the smaller source of `load`. The mistakes are large enough to be seen with a fifth of the usual number.
const FEW: usize = 40;
/// The kills and the faults of the manager for each mistake of the whole table.
const BOUNDARIES: usize = 8;
/// The number of mistakes that are tested at a time.
const AT_ONCE: usize = 6;

/// Writes the mistakes in the order of their checks.
fn table() -> String {
    let mut text = format!(
        "# Mistakes of connectors, and the checks that find them\n\n\
        `src/bin/tracker` is one connector that can make {} mistakes, one at a time. Each is caught by the check of its row\n\
        (`each_mistake_is_caught_by_the_check_that_claims_it`), and by no other\n\
        (`no_mistake_is_caught_by_a_check_that_does_not_claim_it`). The second test takes a quarter of an hour on two idle cores:\n\n\
        ```sh\ncargo test --workspace --test it no_mistake_is_caught -- --ignored --nocapture\n```\n\n\
        It leaves out what a check cannot see, for the reasons in `cannot_see` (`tests/it/bad_connectors.rs`).\n\n\
        | Check | Mistake |\n|---|---|\n",
        MISTAKES.len()
    );
    for check in Check::ALL {
        let mistakes = MISTAKES.iter().filter(|(_, claimed)| *claimed == check);
        for (mistake, _) in mistakes {
            let _ = writeln!(text, "| `{}` | {mistake} |", check.name());
        }
    }
    text.push_str(
        "\n`src/bin/lister` reads a list by page numbers, offsets or Link headers. Its mistake, that the total is not compared, is\n\
        caught by `walks` (`a_connector_that_does_not_compare_the_total_is_caught_by_walks`).\n\n\
        `src/bin/drawer` reads a folder. Its mistakes are in `a_mistake_at_a_source_that_is_not_called_over_http_is_caught`.\n",
    );
    text
}

/// `UPDATE=1` writes the table.
#[test]
fn the_table_of_mistakes_is_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/MISTAKES.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, table()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), table());
}

#[test]
fn a_connector_without_a_mistake_passes_every_check() {
    let suite = suite("");
    for check in Check::ALL {
        let began = Instant::now();
        let verdict = suite.run(check);
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

/// Returns the mistakes whose names contain one of the parts in `OMNI_TEST_MISTAKE`, those with slow checks first.
/// Semicolons separate the parts.
fn chosen() -> Vec<(&'static str, Check)> {
    let chosen = std::env::var("OMNI_TEST_MISTAKE").unwrap_or_default();
    let mut mistakes = MISTAKES.to_vec();
    mistakes.retain(|(mistake, _)| chosen.split(';').any(|part| mistake.contains(part)));
    assert!(
        !mistakes.is_empty(),
        "no mistake has `{chosen}` in its name"
    );
    let slow = [Check::Load, Check::Walks, Check::SourceFaults, Check::Stops];
    mistakes.sort_by_key(|(_, check)| !slow.contains(check));
    mistakes
}

/// Runs a function for each item, some at a time: the checks mostly wait for processes.
fn for_each<T: Sync>(items: &[T], at_once: usize, run: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|threads| {
        for _ in 0..at_once {
            threads.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run(item);
                }
            });
        }
    });
}

/// `OMNI_TEST_MISTAKE` selects by a part of the name.
#[test]
fn each_mistake_is_caught_by_the_check_that_claims_it() {
    let missed = Mutex::new(Vec::new());
    for_each(&chosen(), AT_ONCE, |(mistake, check)| {
        let began = Instant::now();
        let verdict = suite(mistake).load(FEW).run(*check);
        let seconds = began.elapsed().as_secs_f64();
        println!("== {mistake} ({seconds:.1} s)\n{verdict}\n");
        if !verdict.is_failed() {
            missed.lock().unwrap().push(*mistake);
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

/// Runs every check on every mistake, except those that [`cannot_see`] it. `OMNI_TEST_MISTAKE` selects mistakes by parts of
/// their names, `OMNI_TEST_CHECKS` the checks by their names, with commas.
#[test]
#[ignore = "every check on every mistake takes a quarter of an hour: run it with `--ignored`"]
fn no_mistake_is_caught_by_a_check_that_does_not_claim_it() {
    let checks = std::env::var("OMNI_TEST_CHECKS").ok();
    let is_chosen = |check: &Check| {
        let names = checks.as_deref().map(|names| names.split(','));
        names.is_none_or(|mut names| names.any(|name| name == check.name()))
    };
    let mut pairs = Vec::new();
    for (mistake, claimed) in chosen() {
        let suite = suite(mistake).load(FEW).boundaries(BOUNDARIES);
        let others = Check::ALL.into_iter().filter(is_chosen);
        let others = others.filter(|check| *check != claimed);
        for check in others.filter(|check| cannot_see(*check, claimed).is_none()) {
            pairs.push((mistake, suite.clone(), check));
        }
    }
    let (began, count) = (Instant::now(), pairs.len());
    let wrong = Mutex::new(Vec::new());
    let seconds = Mutex::new(BTreeMap::<Check, f64>::new());
    for_each(&pairs, AT_ONCE, |(mistake, suite, check)| {
        let checked = Instant::now();
        let verdict = suite.run(*check);
        let took = checked.elapsed().as_secs_f64();
        *seconds.lock().unwrap().entry(*check).or_default() += took;
        if verdict.is_failed() {
            println!("== {mistake}\n{verdict}\n");
            wrong
                .lock()
                .unwrap()
                .push(format!("{}: {mistake}", check.name()));
        }
    });
    for (check, seconds) in seconds.into_inner().unwrap() {
        println!("{:<14} {seconds:>6.0} s", check.name());
    }
    println!("{count} pairs in {:.0} s", began.elapsed().as_secs_f64());
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
