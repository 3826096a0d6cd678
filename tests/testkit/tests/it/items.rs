//! Tests the checks of a connector whose source is not called over HTTP.

use std::{fs, path::Path};

use omni_connector_dev::testing::{Change, Check, Conformance, FakeItems, Oddity, Source, Verdict};
use serde_json::json;

fn folder() -> FakeItems {
    FakeItems::folder((1..=13).map(|number| (format!("{number:02}.txt"), format!("Item {number}"))))
}

fn suite(mistake: &str) -> Conformance {
    Conformance::of(
        "omni-connector-tests-testkit",
        env!("CARGO_MANIFEST_DIR"),
        env!("CARGO_BIN_EXE_drawer"),
    )
    .source(folder)
    .config(|source| json!({ "folder": source.path() }))
    .documents(13)
    .env("MISTAKE", mistake)
}

#[test]
fn a_folder_is_changed_and_taken_away_by_the_checks() {
    let suite = suite("");
    for (check, tried) in [
        (Check::Completes, "13 documents"),
        (Check::Resume, "killed at"),
        (Check::SourceFaults, "the source is gone for a first run"),
        (Check::Deletes, "remove all items but the first"),
        (Check::Changes, "edit the text of item 1 during a run"),
        (Check::Load, "2000 documents"),
    ] {
        let verdict = suite.run(check);
        let text = verdict.to_string();
        assert!(
            matches!(verdict, Verdict::Passed(_)) && text.contains(tried),
            "{}: {text}",
            check.name()
        );
    }
}

#[test]
fn a_mistake_at_a_source_that_is_not_called_over_http_is_caught() {
    for (mistake, check, found) in [
        (
            "a folder that is gone is an empty one",
            Check::SourceFaults,
            "a run is completed though the source cannot be reached",
        ),
        (
            "what a folder that is gone had is deleted",
            Check::SourceFaults,
            "documents were deleted because the source could not be reached",
        ),
        (
            "the watermark is the present",
            Check::Changes,
            "a change during a run does not arrive",
        ),
    ] {
        let verdict = suite(mistake).run(check);
        let text = verdict.to_string();
        assert!(
            matches!(verdict, Verdict::Failed(_)) && text.contains(found),
            "{mistake}: {text}"
        );
    }
}

#[test]
fn a_folder_holds_exactly_its_items_after_each_change() {
    let source = FakeItems::folder([("a/b.txt", "B"), ("c.txt", "C")]);
    let path = source.url();
    let read = |below: &str| fs::read(Path::new(&path).join(below)).ok();
    assert_eq!(read("a/b.txt").unwrap(), b"B");
    source.change(&Change::Edit(0)).unwrap();
    assert_eq!(read("a/b.txt").unwrap(), b"B (edited)");
    source.change(&Change::Odd(1, Oddity::InvalidUtf8)).unwrap();
    assert_eq!(read("c.txt").unwrap(), b"a\xffb");
    // A file becomes a folder.
    source.change(&Change::Odd(1, Oddity::StrangeId)).unwrap();
    assert_eq!(read("c.txt/a?b#c").unwrap(), b"a\xffb");
    source.change(&Change::Remove(0)).unwrap();
    assert!(!Path::new(&path).join("a").exists());

    source.change(&Change::Vanish).unwrap();
    assert!(!Path::new(&path).exists());
    source.change(&Change::Restore).unwrap();
    assert!(read("c.txt/a?b#c").is_some());
}

#[test]
fn a_change_that_a_folder_cannot_have_is_refused_and_changes_nothing() {
    let source = FakeItems::folder([("a.txt", "A"), ("b.txt", "B")]);
    let path = source.url();
    for (change, why) in [
        (
            Change::Rename(0),
            "a file with another path is another file",
        ),
        (
            Change::Odd(0, Oddity::NullText),
            "every file has a name and bytes",
        ),
        (Change::Narrow(0), "names no readers"),
        (Change::Leave, "it has no groups"),
        (Change::EmptyPage, "the kit makes no pages"),
        (Change::Remove(7), "it has fewer items"),
        (Change::Odd(0, Oddity::LongId), "File name too long"),
    ] {
        let unable = source.change(&change).unwrap_err().to_string();
        assert!(unable.contains(why), "{unable}");
        let files: Vec<_> = fs::read_dir(&path).unwrap().collect();
        assert_eq!(files.len(), 2, "{change}");
        assert_eq!(fs::read(Path::new(&path).join("a.txt")).unwrap(), b"A");
    }
    assert_eq!(source.writes(), 0);
    fs::write(Path::new(&path).join("c.txt"), "C").unwrap();
    assert_eq!(source.writes(), 1);
}
