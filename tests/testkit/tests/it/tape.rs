//! Tests tapes: what is on one, how it answers, and what follows from its mutations.

use std::{fs, mem::discriminant, path::PathBuf};

use omni_connector::HttpClient;
use omni_connector_dev::testing::{
    Check, Conformance, Mutation, RetryAfter, Setup, Source, SyncType, Tape, Verdict,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    bad_connectors::suite,
    source::{ISSUES, tracker},
    vault::{self, ENTRIES, Manner},
};

/// The tape of the tracker in the repository.
const FULL: &str = "tests/tapes/full.tape";

async fn vault_with(url: &str, secrets: [&str; 4], variable: (&str, &str)) -> Setup {
    let [client_secret, key, password, hook] = secrets;
    let setup = Setup::of(env!("CARGO_BIN_EXE_vault"))
        .config(json!({ "api_url": url, "webhook_secret": hook }))
        .credentials(json!({ "client_secret": client_secret, "key": key, "password": password }))
        .env(variable.0, variable.1)
        .start()
        .await;
    setup.sync(SyncType::Full).await;
    setup
}

async fn recorded(manner: Manner) -> String {
    let url = vault::start(manner).await;
    let secrets = [
        "canary-client/secret",
        "canary-key",
        "canary-password",
        "canary-webhook",
    ];
    let setup = vault_with(&url, secrets, ("OMNI_HTTP_RECORD", "1")).await;
    let tape = Tape::recorded_by(&setup).await;
    tape.replace(&url, "https://vault.example.com")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_on_a_tape_and_it_answers_without_them() {
    let tape = recorded(Manner::InOrder).await;
    assert!(
        !tape.contains("canary") && !tape.contains("Y2FuYXJ5"),
        "{tape}"
    );
    let head: Value = serde_json::from_str(tape.lines().next().unwrap()).unwrap();
    assert_eq!(head["connector"], "vault");
    for header in ["authorization", "cookie", "set-cookie"] {
        let left_out = head["left_out"].as_array().unwrap();
        assert!(left_out.contains(&json!(header)), "{head}");
    }

    let folder = TempDir::new().unwrap();
    let path = folder.path().join("vault.tape");
    fs::write(&path, &tape).unwrap();
    for is_in_process in [false, true] {
        let tape = Tape::replay(&path);
        let secrets = ["another", "other-key", "made-up", "nothing"];
        let setup = if is_in_process {
            let variable = ("OMNI_HTTP_REPLAY", &*tape.url());
            vault_with("https://elsewhere.invalid", secrets, variable).await
        } else {
            vault_with(&tape.url(), secrets, ("RUST_LOG", "info")).await
        };
        let documents = setup.documents().await;
        assert_eq!(documents.len() as u64, ENTRIES);
        assert_eq!(documents["entry-3"].title, "Entry 3");
        assert!(documents["entry-3"].text.starts_with("The file of entry-3"));
        assert_eq!(tape.not_recorded(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_recordings_are_equal_though_the_answers_came_in_another_order() {
    let (one, other) = (
        recorded(Manner::InOrder).await,
        recorded(Manner::Reversed).await,
    );
    assert!(one.lines().count() as u64 > ENTRIES * 2);
    assert_eq!(one, other);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_requests_get_their_answers_in_order_and_volatile_parameters_are_ignored() {
    let exchange = |query: Value, body: &str| {
        json!({
            "operation": "GET issues",
            "asked": { "method": "GET", "at": "https://a.example", "path": "/issues", "query": query, "headers": {},
                "body": "empty" },
            "answered": { "status": 200, "headers": {}, "body": { "text": body } },
        })
    };
    let head = json!({ "tape": 1, "kit": "0", "connector": "x", "recorded": "2026-01-01", "secrets": 0, "given": [], "left_out": [] });
    let lines = [
        head,
        exchange(
            json!([["a", "1"], ["since", "then"]]),
            "first, at https://a.example/next",
        ),
        exchange(json!([["a", "1"], ["since", "then"]]), "second"),
        exchange(json!([["a", "2"], ["since", "then"]]), "other"),
    ];
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("some.tape");
    fs::write(&path, lines.map(|line| line.to_string()).join("\n")).unwrap();
    let tape = Tape::replay(&path).volatile(["since"]);
    let client = HttpClient::builder().no_proxy().build().unwrap();
    let get = async |query: &str| {
        let answer = client
            .get(format!("{}/issues?{query}", tape.url()))
            .send()
            .await;
        answer.unwrap().text().await.unwrap()
    };
    assert_eq!(
        get("since=now&a=1").await,
        format!("first, at {}/next", tape.url())
    );
    assert_eq!(get("a=2&since=now").await, "other");
    assert_eq!(get("a=1&since=later").await, "second");
    assert_eq!(get("a=1&since=later").await, "second");
    let problem = "the tape has no answer to `GET /issues?a=3&since=now`; the nearest request is `GET /issues?a=1&since=then`: \
                   `a` is `3` instead of `1`";
    assert!(get("a=3&since=now").await.contains(problem));
    assert_eq!(tape.not_recorded(), [problem]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "a secret is in the exchange \"GET files/{id}\"")]
async fn a_tape_with_a_secret_that_cannot_be_replaced_is_not_written() {
    recorded(Manner::Binary).await;
}

/// `UPDATE=1` writes the tape.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tape_in_the_repository_is_what_a_recording_brings() {
    let source = tracker();
    let setup = Setup::of(env!("CARGO_BIN_EXE_tracker"))
        .config(json!({ "api_url": source.url() }))
        .credentials(json!({ "api_key": "canary-7f3a" }))
        .env("OMNI_HTTP_RECORD", "1")
        .start()
        .await;
    setup.sync(SyncType::Full).await;
    setup.call("read_issue", json!({ "key": "OPS-2" })).await;
    let tape = Tape::recorded_by(&setup).await;
    let tape = tape.replace(&source.url(), "https://tracker.example.com");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(FULL, &tape).unwrap();
    }
    // The head has the day of the recording.
    let kept = fs::read_to_string(FULL).unwrap();
    let exchanges = |tape: &str| tape.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(exchanges(&tape), exchanges(&kept));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tape_with_pseudonyms_names_nobody_and_answers_all_the_same() {
    let record = async || {
        let source = tracker();
        let setup = Setup::of(env!("CARGO_BIN_EXE_tracker"))
            .config(json!({ "api_url": source.url() }))
            .credentials(json!({ "api_key": "canary-7f3a" }))
            .env("OMNI_HTTP_RECORD", "pseudonyms")
            .start()
            .await;
        setup.sync(SyncType::Full).await;
        let tape = Tape::recorded_by(&setup).await;
        tape.replace(&source.url(), "https://tracker.example.com")
    };
    let tape = record().await;
    for word in ["ada@", "bo@", "Disk", "disk", "space"] {
        assert!(!tape.contains(word), "{word} is in {tape}");
    }
    for kept in ["OPS-13", "\"project\":\"ops\"", "2026-01-02T10:00:00Z"] {
        assert!(tape.contains(kept), "{kept} is not in {tape}");
    }
    assert_eq!(record().await, tape, "two recordings are equal");

    let folder = TempDir::new().unwrap();
    let path = folder.path().join("made-up.tape");
    fs::write(&path, &tape).unwrap();
    let tape = Tape::replay(&path);
    let setup = Setup::of(env!("CARGO_BIN_EXE_tracker"))
        .config(json!({ "api_url": tape.url() }))
        .credentials(json!({ "api_key": "any-key" }))
        .start()
        .await;
    setup.sync(SyncType::Full).await;
    let documents = setup.documents().await;
    assert_eq!(documents.len(), ISSUES);
    // "Disk 1 is full", with words of the same length.
    let title = &documents["issue-OPS-1"].title;
    let lengths: Vec<_> = title.split(' ').map(str::len).collect();
    assert_eq!(lengths, [4, 1, 2, 4], "{title}");
    let readers = documents["issue-OPS-1"].readers();
    assert!(
        readers
            .iter()
            .all(|reader| reader.rsplit('.').next() == Some("com")),
        "{readers:?}"
    );
}

#[test]
fn a_fake_that_answers_otherwise_than_the_tape_is_found_with_every_difference() {
    let verdict = suite("").tape(FULL).run(Check::Fake);
    assert!(matches!(verdict, Verdict::Passed(_)), "{verdict}");
    assert!(
        verdict
            .to_string()
            .contains("only on the tape: `GET issues/{id}`"),
        "{verdict}"
    );

    let tape = fs::read_to_string(FULL).unwrap();
    let tape = tape.replace("\"project\":\"ops\"", "\"project\":{\"key\":\"ops\"}");
    let tape = tape.replace("\"GET teams\"", "\"GET squads\"");
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("other.tape");
    fs::write(&path, tape).unwrap();
    let verdict = suite("").tape(&path).run(Check::Fake);
    let text = verdict.to_string();
    assert!(verdict.is_failed(), "{text}");
    for difference in [
        "`GET issues` /issues/*/project is a string, and an object on the tape",
        "`GET teams` is not on the tape",
    ] {
        assert!(text.contains(difference), "{difference} is not in {text}");
    }
}

fn taped(mistake: &str) -> Conformance {
    suite(mistake)
        .source(|| Tape::replay(FULL))
        .boundaries(1_000)
}

#[test]
fn a_connector_without_a_mistake_passes_on_its_tape() {
    let taped = taped("");
    for check in Check::ALL {
        let suite = match check {
            Check::Mutations => taped.clone().boundaries(24),
            _ => taped.clone().boundaries(12),
        };
        let verdict = suite.run(check);
        println!("{:<14} {verdict}", check.name());
        assert!(!verdict.is_failed(), "{verdict}");
    }
}

#[test]
fn every_mutation_fits_the_tape_somewhere_and_changes_it() {
    let path: PathBuf = FULL.into();
    let all = Tape::replay(&path).mutations();
    let kinds = [
        Mutation::DropItem(0, 0),
        Mutation::DropPage(0),
        Mutation::RepeatPage(0),
        Mutation::CutBody(0),
        Mutation::Status(0, 500),
        Mutation::Html(0),
        Mutation::Empty(0),
        Mutation::Throttle(0, RetryAfter::Seconds(1)),
        Mutation::Shift(0),
        Mutation::Forbid(String::new()),
        Mutation::RenameField(String::new()),
        Mutation::NullField(String::new()),
    ];
    for kind in &kinds {
        let is_kind = |one: &Mutation| discriminant(one) == discriminant(kind);
        assert!(all.iter().any(is_kind), "{kind:?} is not in {all:?}");
    }
    let whole = format!("{:?}", Tape::replay(&path));
    for mutation in all {
        let mutated = format!("{:?}", Tape::replay(&path).mutated(&mutation));
        assert_ne!(mutated, whole, "{mutation}");
    }
    // Four pages of 13 issues: each but the last one has a next page.
    let pages = Tape::replay(&path).mutations();
    let pages = pages.iter().filter(|one| matches!(one, Mutation::Shift(_)));
    assert_eq!(pages.count(), ISSUES / 4);
}

/// Tests the first mistakes; with `OMNI_TEST_FULL=1` all of them, also one that hangs until its time is over.
#[test]
fn mistakes_are_found_on_a_tape_without_an_expectation() {
    let is_full = std::env::var("OMNI_TEST_FULL").is_ok();
    let mistakes = [
        ("a failed page is the end", "reports no failure"),
        (
            "an item that comes twice fails the run",
            "does not bring everything",
        ),
        ("unknown readers are everybody", "became public"),
        ("html is an empty list", "reports no failure"),
        ("a repeated token is followed", "hangs"),
    ];
    let tested = if is_full { mistakes.len() } else { 3 };
    for (mistake, what) in &mistakes[..tested] {
        match taped(mistake).run(Check::Mutations) {
            Verdict::Failed(failure) => {
                println!("== {mistake}\n{failure}\n");
                assert!(failure.what().contains(what), "{mistake}: {failure}");
            }
            verdict => panic!("{mistake}: {verdict}"),
        }
    }
}
