//! Full and incremental runs: what changed is sent, what is gone is deleted, and nothing else.

use std::{
    fs,
    os::unix::fs::symlink,
    time::{Duration, SystemTime},
};

use omni_connector::SyncType::{Full, Incremental};
use omni_connector_dev::store::runs::{RunEffects, RunStatus};
use serde_json::json;

use crate::support::{Setup, set_modified};

/// Files in three folders.
fn fill(setup: &Setup, files: usize) {
    for n in 0..files {
        setup.write(
            &format!("folder-{}/file-{n:03}.md", n % 3),
            format!("The text of file {n}."),
        );
    }
}

#[tokio::test]
async fn a_full_run_makes_a_document_of_every_file() {
    let setup = Setup::new().await;
    setup.write(
        "Ops/Run Books/größe.MD",
        "\u{feff}Turn it off and on again.",
    );
    setup.write("page.html", "<h1>Hello</h1><p>and <b>welcome</b></p>");
    setup.write("empty", "");
    let ended = setup.sync(Full).await;
    assert_eq!(
        (
            ended.report().scanned,
            ended.report().updated,
            ended.report().skipped
        ),
        (3, 3, 0)
    );

    let documents = setup.documents().await;
    assert_eq!(
        documents.keys().collect::<Vec<_>>(),
        ["Ops/Run Books/größe.MD", "empty", "page.html"]
    );
    let runbook = &documents["Ops/Run Books/größe.MD"];
    assert_eq!(runbook.title, "größe.MD");
    let path = setup.path("Ops/Run Books/größe.MD");
    assert_eq!(runbook.id, path.to_str().unwrap());
    assert_eq!(runbook.metadata["path"], runbook.id);
    assert_eq!(runbook.content_type(), Some("text/markdown"));
    assert_eq!(runbook.metadata["url"], json!(null));
    assert_eq!(runbook.size(), Some(28));
    assert_eq!(
        runbook.attributes,
        json!({ "ext": "md", "folder": ["ops", "run_books"] })
    );
    assert_eq!(
        runbook.permissions,
        Some(json!({ "public": true, "users": [], "groups": [] }))
    );
    let modified = fs::metadata(setup.path("Ops/Run Books/größe.MD"))
        .unwrap()
        .modified()
        .unwrap();
    let updated = runbook.metadata["updated_at"].as_str().unwrap();
    let updated = omni_connector::wire::timestamp::parse(updated).unwrap();
    assert_eq!(updated, time::OffsetDateTime::from(modified));

    assert_eq!(runbook.text, "Turn it off and on again.");
    let page = &documents["page.html"].text;
    assert!(page.contains("welcome") && !page.contains("<b>"), "{page}");
    assert_eq!(documents["empty"].text, "");
}

#[tokio::test]
async fn a_run_with_nothing_changed_emits_nothing_and_says_so() {
    let setup = Setup::new().await;
    fill(&setup, 100);
    setup.sync(Full).await;
    let ended = setup.sync(Incremental).await;
    let report = ended.report();
    assert_eq!(
        (
            report.scanned,
            report.updated,
            report.deleted,
            report.contents
        ),
        (100, 0, 0, 0)
    );
    assert_eq!(ended.progress.run.documents_scanned, 100);
    assert_eq!(ended.progress.effects, RunEffects::default());
    // The run saved nothing, and what is known is still known.
    assert_eq!(setup.sync(Incremental).await.report().updated, 0);
}

#[tokio::test]
async fn ten_touched_and_ten_deleted_files_are_ten_updates_and_ten_deletes() {
    let setup = Setup::new().await;
    fill(&setup, 100);
    setup.sync(Full).await;
    let later = SystemTime::now() + Duration::from_mins(1);
    for n in 0..10 {
        set_modified(
            &setup.path(&format!("folder-{}/file-{n:03}.md", n % 3)),
            later,
        );
    }
    for n in 90..100 {
        fs::remove_file(setup.path(&format!("folder-{}/file-{n:03}.md", n % 3))).unwrap();
    }
    let ended = setup.sync(Incremental).await;
    assert_eq!((ended.report().updated, ended.report().deleted), (10, 10));
    let effects = &ended.progress.effects;
    assert_eq!(
        (effects.created, effects.updated, effects.deleted),
        (0, 10, 10)
    );
    assert_eq!(setup.ids().await.len(), 90);
    assert_eq!(setup.sync(Incremental).await.report().updated, 0);
}

#[tokio::test]
async fn a_file_that_is_moved_in_with_an_old_time_is_seen() {
    let setup = Setup::new().await;
    fill(&setup, 3);
    setup.sync(Full).await;
    setup.write("archive/old.md", "From long ago.");
    set_modified(
        &setup.path("archive/old.md"),
        SystemTime::UNIX_EPOCH - Duration::from_hours(24),
    );
    let ended = setup.sync(Incremental).await;
    assert_eq!(ended.progress.effects.created, 1);
    assert_eq!(
        setup.documents().await["archive/old.md"].metadata["updated_at"],
        "1969-12-31T00:00:00Z"
    );
}

#[tokio::test]
async fn a_full_run_sends_everything_again_and_misses_what_is_gone() {
    let setup = Setup::new().await;
    fill(&setup, 20);
    setup.sync(Full).await;
    fs::remove_file(setup.path("folder-0/file-000.md")).unwrap();
    let ended = setup.sync(Full).await;
    assert_eq!((ended.report().updated, ended.report().deleted), (19, 1));
    let effects = &ended.progress.effects;
    assert_eq!((effects.unchanged, effects.deleted), (19, 1));
    assert_eq!(setup.sync(Incremental).await.report().scanned, 19);
}

#[tokio::test]
async fn an_emptied_tree_is_held_back_and_is_whole_again_when_the_files_are_back() {
    let setup = Setup::new().await;
    fill(&setup, 20);
    setup.sync(Full).await;
    let (tree, away) = (setup.path(""), setup.outside("away"));
    fs::rename(&tree, &away).unwrap();
    fs::create_dir(&tree).unwrap();
    for mode in [Incremental, Full] {
        let ended = setup.sync(mode).await;
        assert_eq!((ended.report().deleted, ended.report().held_back), (0, 20));
        assert_eq!(setup.ids().await.len(), 20);
    }

    fs::remove_dir(&tree).unwrap();
    let missing = setup.run(Incremental).await.progress.run;
    assert_eq!(missing.status, RunStatus::Failed);
    let message = missing.error_message.unwrap();
    assert!(
        message.contains("cannot be listed") && message.contains("tree"),
        "{message}"
    );
    assert_eq!(setup.ids().await.len(), 20);

    fs::rename(&away, &tree).unwrap();
    fs::remove_file(setup.path("folder-0/file-000.md")).unwrap();
    let ended = setup.sync(Incremental).await;
    assert_eq!((ended.report().held_back, ended.report().deleted), (0, 1));
}

#[tokio::test]
async fn a_base_that_is_a_link_is_the_folder_to_which_it_leads() {
    let setup = Setup::new().await;
    fill(&setup, 20);
    let (tree, real) = (setup.path(""), setup.outside("real"));
    fs::rename(&tree, &real).unwrap();
    symlink(&real, setup.outside("tree")).unwrap();
    let ended = setup.sync(Full).await;
    assert_eq!((ended.report().updated, ended.report().skipped), (20, 0));
    for _ in 0..3 {
        let ended = setup.sync(Incremental).await;
        let report = ended.report();
        assert_eq!((report.updated, report.deleted, report.skipped), (0, 0, 0));
    }
    assert_eq!(setup.ids().await.len(), 20);
}

#[tokio::test]
async fn the_settings_say_what_belongs_to_the_source() {
    let setup = Setup::with_config(json!({
        "file_extensions": ["md", ".TXT"], "exclude_patterns": ["drafts", "*.tmp.md"], "max_file_size_bytes": 10
    }))
    .await;
    for path in ["a.md", "b.txt", "c.rs", "drafts/d.md", "e.tmp.md"] {
        setup.write(path, "small");
    }
    setup.write("f.md", "eleven byte");
    let ended = setup.sync(Full).await;
    assert_eq!(setup.ids().await, ["a.md", "b.txt"]);
    let reasons = ended
        .report()
        .reasons
        .iter()
        .map(|(reason, count)| (reason.as_str(), *count));
    let expected = [
        ("larger than `max_file_size_bytes`", 1),
        // The first run names every file in a folder that is left out: another connector may have sent it.
        ("left out by `exclude_patterns`", 3),
        ("left out by `file_extensions`", 1),
    ];
    assert_eq!(reasons.collect::<Vec<_>>(), expected);

    // What stops to belong to it is deleted.
    setup.write("a.md", "larger than ten");
    let ended = setup.sync(Incremental).await;
    assert_eq!(ended.report().deleted, 1);
    assert_eq!(setup.ids().await, ["b.txt"]);
}

#[tokio::test]
async fn what_an_admin_excludes_is_deleted_however_much_it_is() {
    let setup = Setup::new().await;
    fill(&setup, 30);
    setup.write("kept.md", "the only one");
    setup.sync(Full).await;
    setup
        .configure("exclude_patterns", json!(["folder-"]))
        .await;
    let ended = setup.sync(Incremental).await;
    assert_eq!((ended.report().deleted, ended.report().held_back), (30, 0));
    assert_eq!(setup.ids().await, ["kept.md"]);
}

#[tokio::test]
async fn a_tree_that_is_moved_to_another_base_leaves_nothing_of_the_old_one() {
    let setup = Setup::new().await;
    fill(&setup, 30);
    setup.sync(Full).await;
    setup
        .configure("base_path", json!(setup.path("folder-0")))
        .await;
    setup.sync(Incremental).await;
    let ids = setup.ids().await;
    assert!(
        ids.len() == 10 && ids.iter().all(|id| id.starts_with("folder-0/")),
        "{ids:?}"
    );
}

#[tokio::test]
async fn a_file_whose_time_was_put_back_is_read() {
    let setup = Setup::new().await;
    fill(&setup, 3);
    setup.sync(Full).await;
    let path = setup.path("folder-0/file-000.md");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "The text of file X.").unwrap();
    set_modified(&path, time);
    assert_eq!(setup.sync(Incremental).await.report().updated, 1);
    let documents = setup.documents().await;
    assert_eq!(
        documents["folder-0/file-000.md"].text,
        "The text of file X."
    );
}

#[tokio::test]
async fn a_wrong_config_is_refused_with_the_field_that_is_wrong() {
    for (config, field) in [
        (
            json!({ "exclude_patterns": ["[a"] }),
            "`exclude_patterns[0]`",
        ),
        (
            json!({ "max_file_size_bytes": "many" }),
            "`max_file_size_bytes`",
        ),
        (json!({ "exclude_patterns": [""] }), "remove it"),
    ] {
        let setup = Setup::with_config(config).await;
        let refused = setup.refusal(Full).await;
        assert!(
            refused.contains("400") && refused.contains(field),
            "{refused}"
        );
    }
}
