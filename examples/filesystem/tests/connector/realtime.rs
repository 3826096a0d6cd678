//! The watch: what happens to the tree is in Omni soon after.

use std::{fs, os::unix::fs::symlink, process::Command};

use omni_connector::SyncType::{Full, Realtime};
use omni_connector_dev::{
    store::runs::{Run, RunStatus},
    testing::{self, eventually},
};
use serde_json::json;

use crate::support::{BINARY, Setup, set_modified};

/// Watches the tree, from when everything in it is known.
async fn watch(setup: &Setup) -> Run {
    setup.sync(Full).await;
    let run = setup.begin(Realtime).await;
    // What is written before the watch begins is found by its first look.
    setup.write("marker", "is it watching?");
    let mut ids = setup.ids().await;
    if !ids.contains(&"marker".to_owned()) {
        ids.push("marker".to_owned());
        ids.sort();
    }
    setup
        .until_ids(&ids.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    run
}

async fn until_size(setup: &Setup, id: &str, size: u64) {
    let arrived = async || {
        let documents = setup.documents().await;
        (documents.get(id)?.size()? == size).then_some(())
    };
    eventually(&format!("`{id}` has {size} bytes"), arrived).await;
}

#[tokio::test]
async fn files_and_folders_that_come_change_move_and_go_are_followed() {
    let setup = Setup::new().await;
    for path in ["a.md", "ops/b.md", "ops/c.md", "ops/deep/d.md"] {
        setup.write(path, "first");
    }
    let run = watch(&setup).await;

    setup.write("new.md", "created");
    setup
        .until_ids(&[
            "a.md",
            "marker",
            "new.md",
            "ops/b.md",
            "ops/c.md",
            "ops/deep/d.md",
        ])
        .await;

    // How editors save.
    fs::write(setup.path(".a.md.swap"), "the second text").unwrap();
    fs::rename(setup.path(".a.md.swap"), setup.path("a.md")).unwrap();
    until_size(&setup, "a.md", 15).await;

    // A folder that comes with content, from elsewhere in the file system.
    fs::create_dir_all(setup.outside("arriving/inner")).unwrap();
    fs::write(setup.outside("arriving/inner/e.md"), "carried in").unwrap();
    fs::rename(setup.outside("arriving"), setup.path("inside")).unwrap();
    let with = [
        "a.md",
        "inside/inner/e.md",
        "marker",
        "new.md",
        "ops/b.md",
        "ops/c.md",
        "ops/deep/d.md",
    ];
    setup.until_ids(&with).await;

    // It is watched, too.
    setup.write("inside/inner/f.md", "later");
    fs::rename(setup.path("ops/deep"), setup.path("moved")).unwrap();
    let moved = [
        "a.md",
        "inside/inner/e.md",
        "inside/inner/f.md",
        "marker",
        "moved/d.md",
        "new.md",
        "ops/b.md",
        "ops/c.md",
    ];
    setup.until_ids(&moved).await;

    fs::remove_dir_all(setup.path("inside")).unwrap();
    fs::rename(setup.path("moved"), setup.outside("away")).unwrap();
    fs::rename(setup.path("new.md"), setup.path("newer.md")).unwrap();
    setup
        .until_ids(&["a.md", "marker", "newer.md", "ops/b.md", "ops/c.md"])
        .await;

    // Alone in its batch: what is elsewhere shows that this is no emptied tree.
    fs::remove_file(setup.path("a.md")).unwrap();
    setup
        .until_ids(&["marker", "newer.md", "ops/b.md", "ops/c.md"])
        .await;
    let progress = setup.manager.progress(&run.id).await.unwrap().unwrap();
    assert_eq!(progress.run.status, RunStatus::Running);
}

/// What becomes something else under the same name, or the same under another name.
#[tokio::test]
async fn names_that_change_their_kind_their_case_or_their_spelling_are_followed() {
    let setup = Setup::new().await;
    for path in [
        "file",
        "folder/inner.md",
        "Case.md",
        "linked.md",
        "emptied.md",
        "hard.md",
    ] {
        setup.write(path, "first");
    }
    for number in 0..10 {
        setup.write(&format!("stays/{number}.md"), "first");
    }
    watch(&setup).await;

    fs::remove_file(setup.path("file")).unwrap();
    setup.write("file/within.md", "now a folder");
    fs::remove_dir_all(setup.path("folder")).unwrap();
    setup.write("folder", "now a file");
    fs::rename(setup.path("Case.md"), setup.path("case.md")).unwrap();
    // A symbolic link is skipped, so the document goes.
    fs::remove_file(setup.path("linked.md")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", setup.path("linked.md")).unwrap();
    setup.write("emptied.md", "");
    fs::hard_link(setup.path("hard.md"), setup.path("harder.md")).unwrap();
    // Two names that look the same: composed, and in parts.
    setup.write("caf\u{e9}.md", "composed");
    setup.write("cafe\u{301}.md", "in parts");

    let mut expected: Vec<String> = (0..10).map(|number| format!("stays/{number}.md")).collect();
    let now = [
        "cafe\u{301}.md",
        "caf\u{e9}.md",
        "case.md",
        "emptied.md",
        "file/within.md",
        "folder",
        "hard.md",
        "harder.md",
        "marker",
    ];
    expected.extend(now.map(str::to_owned));
    expected.sort();
    setup
        .until_ids(&expected.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    until_size(&setup, "emptied.md", 0).await;
    until_size(&setup, "folder", 10).await;
}

/// Logs and downloads grow in pieces; the last piece counts.
#[tokio::test]
async fn a_file_that_grows_in_pieces_and_one_that_is_replaced_often_end_with_their_last_text() {
    use std::io::Write;

    let setup = Setup::new().await;
    setup.write("grows.log", "");
    setup.write("replaced.md", "0");
    watch(&setup).await;
    let mut log = fs::File::options()
        .append(true)
        .open(setup.path("grows.log"))
        .unwrap();
    for number in 0..200_usize {
        writeln!(log, "line {number:04}").unwrap();
        fs::write(setup.path(".swap"), "x".repeat(number + 1)).unwrap();
        fs::rename(setup.path(".swap"), setup.path("replaced.md")).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    until_size(&setup, "grows.log", 200 * 10).await;
    until_size(&setup, "replaced.md", 200).await;
}

#[tokio::test]
async fn what_happened_before_the_watch_began_is_found_by_its_first_look() {
    let setup = Setup::new().await;
    setup.write("stays.md", "first");
    setup.write("goes.md", "first");
    setup.sync(Full).await;
    fs::remove_file(setup.path("goes.md")).unwrap();
    setup.write("comes.md", "first");
    setup.begin(Realtime).await;
    setup.until_ids(&["comes.md", "stays.md"]).await;
}

#[tokio::test]
async fn an_emptied_tree_deletes_nothing_and_a_missing_one_fails_the_watch() {
    let setup = Setup::new().await;
    for n in 0..5 {
        setup.write(&format!("{n}.md"), "first");
    }
    let run = watch(&setup).await;
    for entry in fs::read_dir(setup.path("")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let held_back = async || {
        setup
            .report(&run.id)
            .await
            .filter(|report| report.held_back > 0)
    };
    eventually("the deletes are held back", held_back).await;
    assert_eq!(setup.ids().await.len(), 6);

    fs::remove_dir(setup.path("")).unwrap();
    let ended = setup.wait(&run).await;
    assert_eq!(ended.progress.run.status, RunStatus::Failed);
    assert!(ended.message().unwrap().contains("cannot be listed"));
    assert_eq!(setup.ids().await.len(), 6);
}

/// As when a release is made: a new folder takes the place of the old one, or a link leads to another folder.
#[tokio::test]
async fn another_folder_in_the_place_of_the_base_is_watched() {
    let setup = Setup::new().await;
    setup.write("a.md", "first");
    watch(&setup).await;
    fs::rename(setup.path(""), setup.outside("one")).unwrap();
    fs::create_dir(setup.outside("two")).unwrap();
    for (name, text) in [
        ("a.md", "second"),
        ("marker", "is it watching?"),
        ("b.md", "new"),
    ] {
        fs::write(setup.outside("two").join(name), text).unwrap();
    }
    fs::rename(setup.outside("two"), setup.path("")).unwrap();
    setup.until_ids(&["a.md", "b.md", "marker"]).await;
    until_size(&setup, "a.md", 6).await;
    setup.write("c.md", "later");
    setup.until_ids(&["a.md", "b.md", "c.md", "marker"]).await;

    // The base becomes a link, which then leads elsewhere.
    fs::rename(setup.path(""), setup.outside("three")).unwrap();
    symlink(
        setup.outside("three"),
        setup.path("").to_str().unwrap().trim_end_matches('/'),
    )
    .unwrap();
    setup.write("d.md", "behind a link");
    setup
        .until_ids(&["a.md", "b.md", "c.md", "d.md", "marker"])
        .await;
    fs::create_dir(setup.outside("four")).unwrap();
    for name in ["a.md", "b.md", "c.md", "marker", "e.md"] {
        fs::write(setup.outside("four").join(name), "in another release").unwrap();
    }
    symlink(setup.outside("four"), setup.outside("next")).unwrap();
    fs::rename(
        setup.outside("next"),
        setup.path("").to_str().unwrap().trim_end_matches('/'),
    )
    .unwrap();
    // What becomes of the old release says nothing about the new one.
    fs::remove_file(setup.outside("three/a.md")).unwrap();
    setup
        .until_ids(&["a.md", "b.md", "c.md", "e.md", "marker"])
        .await;
    until_size(&setup, "a.md", 18).await;
    setup.write("f.md", "later");
    setup
        .until_ids(&["a.md", "b.md", "c.md", "e.md", "f.md", "marker"])
        .await;
}

#[tokio::test]
async fn a_folder_that_is_renamed_is_no_loss() {
    let setup = Setup::new().await;
    for n in 0..12 {
        setup.write(&format!("plans/{n:02}.md"), "first");
    }
    setup.write("top.md", "first");
    watch(&setup).await;
    fs::remove_file(setup.path("marker")).unwrap();
    fs::rename(setup.path("plans"), setup.path("archive")).unwrap();
    let renamed: Vec<_> = (0..12).map(|n| format!("archive/{n:02}.md")).collect();
    let mut expected: Vec<_> = renamed.iter().map(String::as_str).collect();
    expected.push("top.md");
    setup.until_ids(&expected).await;
}

#[tokio::test]
async fn a_file_whose_time_and_size_were_put_back_is_read_by_the_watch() {
    let setup = Setup::new().await;
    setup.write("a.md", "first");
    watch(&setup).await;
    let path = setup.path("a.md");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "other").unwrap();
    set_modified(&path, time);
    let read = async || (setup.documents().await["a.md"].text == "other").then_some(());
    eventually("the watch reads what it heard of", read).await;
}

/// Beyond the limit of watches the system sends no notices, as on the file systems of other machines.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_tree_without_notices_is_looked_at_again_and_the_report_says_so() {
    const LIMITED: &str = "echo 4 > /proc/sys/user/max_inotify_watches && exec \"$0\"";
    let can_limit = Command::new("unshare")
        .args(["-Ur", "sh", "-c", LIMITED, "true"])
        .output();
    if !can_limit.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine does not let a test limit its own watches");
        return;
    }
    let setup = Setup::start(json!({}), |_| {
        let limited = ["unshare", "-Ur", "sh", "-c", LIMITED];
        testing::Setup::of(BINARY).through(limited)
    })
    .await;
    // Few enough folders to begin with.
    setup.write("a/first.md", "first");
    let run = setup.begin(Realtime).await;
    setup.until_ids(&["a/first.md"]).await;
    for folder in ["b", "c", "d", "e", "f"] {
        setup.write(
            &format!("{folder}/later.md"),
            "in a folder that cannot be watched",
        );
    }
    let expected = [
        "a/first.md",
        "b/later.md",
        "c/later.md",
        "d/later.md",
        "e/later.md",
        "f/later.md",
    ];
    setup.until_ids(&expected).await;
    fs::write(setup.path("f/latest.md"), "and in it again").unwrap();
    fs::remove_file(setup.path("a/first.md")).unwrap();
    setup
        .until_ids(&[&expected[1..], &["f/latest.md"][..]].concat())
        .await;
    let report = setup.report(&run.id).await.unwrap();
    let reason = "without notices of the system, so it is looked at again and again";
    assert_eq!(report.reasons.get(reason), Some(&1), "{report:?}");
}
