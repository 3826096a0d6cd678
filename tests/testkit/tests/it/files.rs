//! Tests checks against files of the package: the manifest and checkpoints of earlier versions.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use omni_connector_dev::testing::{Check, Conformance, Verdict};
use serde_json::{Value, json};

use crate::source::{ISSUES, tracker};

/// Creates a package with one file.
fn package(name: &str, file: &str, text: &str) -> (PathBuf, Conformance) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let suite = Conformance::of("acme", &folder, env!("CARGO_BIN_EXE_tracker"))
        .source(tracker)
        .config(|source| json!({ "api_url": source.url() }))
        .credentials(json!({ "api_key": "canary-7f3a" }));
    (path, suite)
}

fn text(verdict: &Verdict) -> String {
    verdict.to_string()
}

#[test]
fn a_changed_manifest_is_shown_line_by_line() {
    let (_, suite) = package(
        "manifest",
        "tests/manifest.json",
        "{\n  \"actions\": []\n}\n",
    );
    let verdict = suite.run(Check::Manifest);
    let text = text(&verdict);
    assert!(
        verdict.is_failed() && text.contains("-   \"actions\": []"),
        "{text}"
    );
    assert!(text.contains("UPDATE=1"), "{text}");
}

#[test]
fn a_checkpoint_of_an_earlier_version_is_accepted_or_named() {
    let good = json!({ "ids": ["issue-OPS-1"], "seen": [], "cursor": null });
    let (_, suite) = package("good", "tests/compat/1.json", &good.to_string());
    let verdict = suite.run(Check::OldState);
    assert!(matches!(verdict, Verdict::Passed(_)), "{verdict}");

    let (path, suite) = package(
        "bad",
        "tests/compat/1.json",
        &json!({ "ids": 5 }).to_string(),
    );
    let verdict = suite.run(Check::OldState);
    assert!(
        verdict.is_failed() && text(&verdict).contains(&path.display().to_string()),
        "{verdict}"
    );
}

#[test]
fn a_skipped_check_prints_its_reason() {
    let (_, suite) = package("skipped", "tests/readme", "");
    let verdict = suite
        .skip(Check::Deletes, "the source never deletes")
        .run(Check::Deletes);
    assert_eq!(text(&verdict), "left out: the source never deletes");
}

/// Each test process has its own environment, so the variable is set for a process of its own.
#[test]
fn update_writes_the_state_and_settings_of_this_version_which_are_accepted_afterwards() {
    const INNER: &str = "OMNI_TEST_COMPAT";
    let (_, suite) = package("written", "tests/readme", "");
    let compat = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("written/tests/compat");
    if std::env::var_os(INNER).is_some() {
        let verdict = suite.run(Check::OldState);
        assert_eq!(
            text(&verdict),
            "ok: 1 checkpoints, 1 configs and 1 credentials of earlier versions"
        );
        return;
    }
    let _ = fs::remove_dir_all(&compat);
    let verdict = suite.run(Check::OldState);
    assert!(text(&verdict).contains("`UPDATE=1` writes"), "{verdict}");
    assert!(!compat.exists(), "nothing is written without `UPDATE`");

    let name =
        "files::update_writes_the_state_and_settings_of_this_version_which_are_accepted_afterwards";
    let inner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .envs([("UPDATE", "1"), (INNER, "1")])
        .output()
        .unwrap();
    assert!(
        inner.status.success(),
        "{}",
        String::from_utf8_lossy(&inner.stdout)
    );
    let files: Vec<_> = fs::read_dir(&compat)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 3, "{files:?}");
    let written = |end: &str| -> Value {
        let path = compat.join(format!("{}{end}.json", env!("CARGO_PKG_VERSION")));
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    assert_eq!(written("")["ids"].as_array().unwrap().len(), ISSUES);
    assert_eq!(written(".config"), json!({ "api_url": "http://source" }));
    assert_eq!(written(".credentials"), json!({ "api_key": "«secret:1»" }));

    let verdict = suite.run(Check::OldState);
    assert!(matches!(verdict, Verdict::Passed(_)), "{verdict}");
}

#[test]
fn a_check_that_takes_longer_than_its_limit_fails() {
    let (_, suite) = package("limited", "tests/readme", "");
    let verdict = suite
        .time_limit(Duration::from_millis(1))
        .run(Check::Completes);
    assert!(
        text(&verdict).contains("the check takes longer than 1ms"),
        "{verdict}"
    );
}
