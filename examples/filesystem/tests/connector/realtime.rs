//! The watch: what happens to the tree is in Omni soon after.

use std::{fs, time::Duration};

use omni_connector::SyncType::{Full, Realtime};
use omni_connector_dev::store::runs::{Run, RunStatus};

use crate::support::{PATIENCE, Setup};

/// Watches the tree, from when everything in it is known.
async fn watch(setup: &Setup) -> Run {
    setup.sync(Full).await;
    let run = setup
        .manager
        .sync(&setup.source.id, Realtime)
        .await
        .unwrap();
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

async fn until_title_text(setup: &Setup, id: &str, size: i64) {
    let arrived = tokio::time::timeout(PATIENCE, async {
        while setup
            .documents()
            .await
            .get(id)
            .and_then(|document| document.size)
            != Some(size)
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    arrived
        .await
        .unwrap_or_else(|_| panic!("`{id}` never has {size} bytes"));
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
    until_title_text(&setup, "a.md", 15).await;

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
    let progress = setup.manager.progress(&run.id).await.unwrap().unwrap();
    assert_eq!(progress.run.status, RunStatus::Running);
}

#[tokio::test]
async fn what_happened_before_the_watch_began_is_found_by_its_first_look() {
    let setup = Setup::new().await;
    setup.write("stays.md", "first");
    setup.write("goes.md", "first");
    setup.sync(Full).await;
    fs::remove_file(setup.path("goes.md")).unwrap();
    setup.write("comes.md", "first");
    setup
        .manager
        .sync(&setup.source.id, Realtime)
        .await
        .unwrap();
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
    let held_back = tokio::time::timeout(PATIENCE, async {
        while setup.connector.report(&run.id).await.held_back == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    held_back.await.expect("the deletes are held back");
    assert_eq!(setup.ids().await.len(), 6);

    fs::remove_dir(setup.path("")).unwrap();
    let ended = setup.end_of(&run.id).await.progress.run;
    assert_eq!(ended.status, RunStatus::Failed);
    assert!(ended.error_message.unwrap().contains("cannot be listed"));
    assert_eq!(setup.ids().await.len(), 6);
}
