//! Whatever the server does, nothing is deleted that is there, and the next good run has everything.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use omni_connector::SyncType::{self, Full, Incremental};
use omni_connector_dev::{
    store::runs::RunStatus,
    testing::{Documents, Fault, RetryAfter, wire::Answer},
};
use serde_json::json;

use crate::{
    cloud::{Cloud, World},
    support::{TREE, Test},
};

/// The faults of a test, which it can change.
type Plan = Arc<Mutex<Option<(&'static str, Fault)>>>;

/// A tree that was read once, behind a proxy that breaks requests whose route contains a text.
async fn breakable() -> (Test, Plan) {
    let plan = Plan::default();
    let faults = Arc::clone(&plan);
    let test = Test::broken(Cloud::with(&TREE), move |route, _| {
        let faults = faults.lock().unwrap();
        let (part, fault) = faults.as_ref()?;
        route.contains(part).then(|| fault.clone())
    });
    let test = test.await;
    test.mirrors(Full).await;
    (test, plan)
}

/// Checks that the documents are those of before but for changed ones, and that a good run has everything.
async fn nothing_is_lost(test: &Test, before: &Documents, what: &str) {
    let found = test.documents().await;
    let differences = found.differences(before);
    let lost = differences.iter().any(|line| line.ends_with("is missing"));
    assert!(!lost, "{what}: {differences:?}");
    assert!(found.iter().all(|it| !it.is_public()), "{what}");
}

/// Another text in place of each list of a folder.
fn lists(change: impl Fn(String) -> String + Send + Sync + 'static) -> Fault {
    Fault::Replace(Arc::new(move |mut answer: Answer| {
        if answer.status == 207 {
            answer.body = change(String::from_utf8(answer.body).unwrap()).into();
        }
        answer
    }))
}

/// Behind a whole answer about one file: what is left would be a shorter list.
fn cut(list: &str) -> String {
    list[..list.rfind("<d:response>").unwrap()].to_owned()
}

#[tokio::test]
async fn a_fault_anywhere_deletes_nothing_and_the_next_run_has_everything() {
    let faults: [(&str, Fault); 12] = [
        ("a reset connection", Fault::ResetBefore),
        ("a refused connection", Fault::Refused),
        ("an answer that breaks off", Fault::Truncated),
        ("xml that breaks off", lists(|list| cut(&list))),
        ("a page of html", Fault::Html),
        ("403", Fault::Answer(403, None)),
        ("404", Fault::Answer(404, None)),
        ("412", Fault::Answer(412, None)),
        ("423", Fault::Answer(423, None)),
        ("500", Fault::Answer(500, None)),
        ("503", Fault::Answer(503, None)),
        ("401", Fault::Answer(401, None)),
    ];
    // Each trial mostly waits.
    join_all(faults.map(|(name, fault)| fault_everywhere(name, fault))).await;
}

/// Breaks one kind of request after the other, in runs of both modes.
async fn fault_everywhere(name: &str, fault: Fault) {
    let (test, plan) = breakable().await;
    for part in [
        "PROPFIND",
        "/notes",
        "/notes/deep",
        "GET",
        "/tables/boats.txt",
    ] {
        // Every folder and file has changed.
        {
            let mut world = test.cloud.world();
            for path in world.files() {
                let content = world.nodes[&path].content.clone().unwrap();
                world.put(&path, content);
            }
            world.put("/notes/new.md", part);
        }
        let before = test.documents().await;
        *plan.lock().unwrap() = Some((part, fault.clone()));
        for mode in [Incremental, Full] {
            let run = test.manager.sync(&test.source.id, mode).await;
            if let Ok(run) = run {
                let end = test.manager.wait(&run.id, |_| {});
                let end = tokio::time::timeout(Duration::from_mins(1), end).await;
                assert!(end.is_ok(), "{name} at {part}: the run does not end");
            }
            nothing_is_lost(&test, &before, &format!("{name} at {part}")).await;
        }
        *plan.lock().unwrap() = None;
        // A proxy that refused connections is back a little later.
        tokio::time::sleep(Duration::from_millis(100)).await;
        test.mirrors(Incremental).await;
    }
}

#[tokio::test]
async fn a_folder_that_is_refused_keeps_its_documents_and_the_others_go_on() {
    for status in [403, 503] {
        let test = Test::synced().await;
        {
            let mut world = test.cloud.world();
            world.put("/notes/new.md", "New.");
            world.put("/readme.md", "Another readme.");
            world.remove("/tables/boats.txt");
            world.refused.insert("/notes".into(), status);
        }
        let ended = test.sync(Incremental).await;
        assert_eq!(ended.failures(), 1);
        let report = ended.report();
        assert_eq!(report.failures[0].item, "/notes");
        assert!(report.failures[0].cause.contains(&status.to_string()));
        let found = test.documents().await;
        let texts: String = found.iter().map(|it| it.text.clone()).collect();
        assert!(texts.contains("Another readme.") && texts.contains("Paint the boats."));
        // Without rights nothing can have moved there. A folder with a passing trouble may hold what is missing elsewhere.
        let is_there = test.paths().await.contains(&"/tables/boats.txt".to_owned());
        assert_eq!(is_there, status == 503);
        // The folder is asked for again, though nothing changes.
        test.cloud.world().asked();
        assert_eq!(test.sync(Incremental).await.failures(), 1);
        let (listed, read) = test.cloud.world().asked();
        assert!(listed.contains(&"/notes".to_owned()) && !listed.contains(&"/tables".to_owned()));
        assert_eq!(read, Vec::<String>::new());
        test.cloud.world().refused.clear();
        test.mirrors(Incremental).await;
    }
}

#[tokio::test]
async fn a_server_that_is_off_or_in_maintenance_says_so_and_keeps_everything() {
    let (test, plan) = breakable().await;
    test.cloud.world().put("/notes/new.md", "New.");
    *plan.lock().unwrap() = Some(("", Fault::ResetBefore));
    let refusal = test.refusal(Full).await;
    assert!(
        refusal.contains("`server_url` cannot be reached"),
        "{refusal}"
    );
    *plan.lock().unwrap() = Some(("", Fault::Answer(503, None)));
    let ended = test.run(Incremental).await;
    assert_eq!(ended.progress.run.status, RunStatus::Failed);
    let error = ended.progress.run.error_message.unwrap();
    assert!(
        error.contains("maintenance") && error.contains("503"),
        "{error}"
    );
    assert_eq!(test.paths().await.len(), 7);
    *plan.lock().unwrap() = None;
    test.mirrors(Incremental).await;
}

#[tokio::test]
async fn a_server_that_goes_away_in_the_middle_ends_the_run() {
    for mode in [SyncType::Full, SyncType::Incremental] {
        let (test, plan) = breakable().await;
        test.cloud.world().put("/notes/deep/er/new.md", "New.");
        test.cloud.world().remove("/readme.md");
        let faults = Arc::clone(&plan);
        let gone = Fault::AnswerThenDo(Arc::new(move || {
            *faults.lock().unwrap() = Some(("", Fault::ResetBefore));
        }));
        *plan.lock().unwrap() = Some(("/notes", gone));
        let ended = test.run(mode).await;
        assert_eq!(ended.progress.run.status, RunStatus::Failed);
        assert!(
            ended
                .progress
                .run
                .error_message
                .unwrap()
                .contains("`server_url`")
        );
        assert_eq!(test.paths().await.len(), 7);
        *plan.lock().unwrap() = None;
        test.mirrors(Incremental).await;
    }
}

#[tokio::test]
async fn a_slow_server_is_waited_for() {
    let (test, plan) = breakable().await;
    test.cloud.world().put("/notes/new.md", "New.");
    *plan.lock().unwrap() = Some(("", Fault::Late(Duration::from_millis(300))));
    test.mirrors(Incremental).await;
}

#[tokio::test]
async fn a_list_that_lacks_something_is_not_taken_for_a_shorter_one() {
    let (test, plan) = breakable().await;
    let odd: [(&str, Fault); 4] = [
        (
            "without itself",
            lists(|list| {
                let (before, itself) = list.split_once("<d:response>").unwrap();
                let (_, behind) = itself.split_once("</d:response>").unwrap();
                format!("{before}{behind}")
            }),
        ),
        (
            "of another folder",
            lists(|list| list.replace("/notes/</d:href>", "/other/</d:href>")),
        ),
        (
            "with the status of a file alone",
            lists(|list| {
                let (before, _) = list.split_once("plan.txt</d:href>").unwrap();
                let status = "<d:status>HTTP/1.1 507 Insufficient Storage</d:status>";
                format!("{before}plan.txt</d:href>{status}</d:response></d:multistatus>")
            }),
        ),
        (
            "with a file of elsewhere",
            lists(|list| list.replace("/notes/plan.txt<", "/notes/a/b/plan.txt<")),
        ),
    ];
    for (name, fault) in odd {
        test.cloud.world().put("/notes/other.md", name);
        *plan.lock().unwrap() = Some(("ldap/notes", fault));
        let ended = test.sync(Incremental).await;
        assert_eq!(ended.failures(), 1, "{name}");
        assert!(
            test.paths().await.contains(&"/notes/plan.txt".to_owned()),
            "{name}"
        );
        *plan.lock().unwrap() = None;
        test.mirrors(Incremental).await;
    }
    // A list that is complete and shorter is one.
    test.cloud.world().put("/tables/zoo.md", "Zoo.");
    test.mirrors(Incremental).await;
    test.cloud
        .world()
        .put("/tables/boats.txt", "Otto is a boat.");
    *plan.lock().unwrap() = Some(("ldap/tables", lists(|list| cut(&list) + "</d:multistatus>")));
    test.syncs(Incremental).await;
    assert!(!test.paths().await.contains(&"/tables/zoo.md".to_owned()));
}

#[tokio::test]
async fn what_vanishes_while_the_tree_is_read_is_no_failure() {
    let test = Test::synced().await;
    {
        let mut world = test.cloud.world();
        world.put("/notes/plan.txt", "Sail.");
        world.put("/notes/deep/er/leaf.md", "Leaves.");
        world.then = Some(("/notes".into(), |world: &mut World| {
            world.remove("/notes/plan.txt");
            world.remove("/notes/deep");
        }));
    }
    test.mirrors(Incremental).await;
}

#[tokio::test]
async fn a_file_that_cannot_be_extracted_keeps_its_document_and_is_tried_again() {
    let test = Test::with_readers_that_fail(Cloud::with(&TREE)).await;
    test.mirrors(Full).await;
    {
        let mut world = test.cloud.world();
        world.put("/notes/plan.txt", "not really a document");
        let node = world.nodes.get_mut("/notes/plan.txt").unwrap();
        node.media_type =
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document".into();
    }
    for _ in 0..2 {
        test.cloud.world().asked();
        let ended = test.sync(Incremental).await;
        assert_eq!(ended.failures(), 1);
        assert_eq!(test.cloud.world().asked().1, ["/notes/plan.txt"]);
        let found = test.documents().await;
        assert!(found.iter().any(|it| it.text.contains("Paint the boats.")));
    }
    test.cloud.world().put("/notes/plan.txt", "A text again.");
    test.mirrors(Incremental).await;
    test.cloud.world().asked();
    test.mirrors(Incremental).await;
    assert_eq!(test.cloud.world().asked.len(), 1);
}

#[tokio::test]
async fn a_locked_file_and_a_busy_server_are_waited_for() {
    let locked = Arc::new(Mutex::new(4));
    let test = Test::broken(Cloud::with(&TREE), move |route, _| {
        let mut left = locked.lock().unwrap();
        if route.starts_with("GET") && route.contains("plan.txt") && *left > 0 {
            *left -= 1;
            let status = if *left > 1 { 423 } else { 429 };
            return Some(Fault::Answer(status, Some(RetryAfter::Seconds(1))));
        }
        None
    });
    test.await.mirrors(Full).await;
}

#[tokio::test]
async fn the_checkpoint_of_omnis_own_connector_is_taken_over() {
    let test = Test::synced().await;
    for mode in [Incremental, Full] {
        let known: Vec<_> = {
            let world = test.cloud.world();
            let files = world.nodes.values().filter(|it| it.content.is_some());
            files.map(|it| it.id.to_string()).collect()
        };
        test.set_checkpoint(json!({ "etags": { "101": "skipped:1" }, "known_files": known }))
            .await;
        test.cloud.world().remove("/readme.md");
        test.mirrors(mode).await;
        test.cloud.world().put("/readme.md", "Again.");
        test.mirrors(Incremental).await;
    }
}
