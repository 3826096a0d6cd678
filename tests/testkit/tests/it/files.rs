//! Tests checks against files of the package: the manifest and checkpoints of earlier versions.

use std::{fs, path::PathBuf};

use omni_connector_dev::testing::{Check, Conformance, Verdict};
use serde_json::json;

use crate::source::tracker;

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
