//! What Omni has after each kind of change.

use omni_connector::{SyncType, prelude::*};

use crate::support::Test;

#[tokio::test]
async fn documents_are_those_that_an_omni_user_relies_on() {
    let github = Test::start().await;
    github.completes(SyncType::Full).await;
    let documents = github.documents().await;
    let request = &documents["github:pr:acme/secret#6"];
    assert_eq!(request.title, "[acme/secret] PR #6: Boil water");
    assert_eq!(
        request.text,
        "PR #6: Boil water\nState: open\nAuthor: ann\nMerged: true\n\nBody of Boil water.\n\nbo:\nHot!\n\nbo on kettle.rs:\nNot hot enough."
    );
    assert_eq!(
        request.permissions,
        Some(json!({ "public": false, "users": [], "groups": ["github:repo:acme/secret"] }))
    );
    assert_eq!(
        request.attributes,
        json!({
            "source_type": "github", "status": "open", "labels": ["good_first_issue", "ui"], "assignee": "bo",
            "milestone": "1.0", "draft": "true", "merged": "true",
        })
    );
    let repository = &documents["github:repo:acme/tea"];
    assert_eq!(
        repository.text,
        "acme/tea\nTea.\nLanguage: Rust\nTopics: hot drinks, tea\n\n# How to make tea"
    );
    assert_eq!(
        repository.attributes,
        json!({
            "source_type": "github", "language": "rust", "visibility": "public", "archived": "false",
            "topics": ["hot drinks", "tea"],
        })
    );
    assert_eq!(
        documents["github:discussion:acme/tea#8"].attributes,
        json!({ "source_type": "github", "category": "Q&A", "answered": "true" })
    );
    // A public address, and one of a domain that the organisation has verified.
    assert_eq!(
        github.members("github:repo:acme/secret").await,
        ["ann@example.com", "bo@acme.example"]
    );
    assert_eq!(github.members("github:repo:acme/tea").await, [""; 0]);
}

#[tokio::test]
async fn an_incremental_run_reads_what_changed_and_sends_nothing_else() {
    let test = Test::start().await;
    test.github.world().tick();
    test.completes(SyncType::Full).await;
    test.github.asked();
    let ended = test.completes(SyncType::Incremental).await;
    assert_eq!(
        ended.progress.run.documents_updated, 0,
        "nothing has changed"
    );
    let asked = test.github.asked();
    assert!(
        !asked
            .iter()
            .any(|it| it.contains("/readme") || it.contains("/1/comments")),
        "{asked:#?}"
    );

    {
        let mut world = test.github.world();
        world.touch("acme/tea", 2, |issue| issue["state"] = "closed".into());
        world.issue("acme/tea", 10, "New", Value::Null);
        world.comment("acme/secret", 7, "Done?", Some("kettle.rs"));
        world.discussion("acme/secret", 11, "Honey?");
    }
    let ended = test.completes(SyncType::Incremental).await;
    assert_eq!(ended.progress.run.documents_updated, 4);

    test.github.world().edit_comment("acme/tea", "Very hot!");
    let ended = test.completes(SyncType::Incremental).await;
    assert_eq!(
        ended.progress.run.documents_updated, 1,
        "a comment was edited, and its item does not say so"
    );
}

#[tokio::test]
async fn what_is_deleted_at_github_is_deleted_by_the_next_run() {
    let test = Test::start().await;
    test.completes(SyncType::Full).await;
    {
        let mut world = test.github.world();
        world.repo("acme/tea").issues.remove(&3);
        world.repo("acme/tea").discussions.remove(&8);
        world.repo("acme/secret").issues.remove(&7);
    }
    test.completes(SyncType::Incremental).await;
    test.github.world().repo("acme/secret").issues.remove(&1);
    test.completes(SyncType::Full).await;
    test.github.world().remove("acme/tea");
    test.completes(SyncType::Incremental).await;
}

#[tokio::test]
async fn a_repository_with_another_name_or_visibility_has_no_document_left_as_it_was() {
    let test = Test::start().await;
    test.completes(SyncType::Full).await;
    test.github.world().repo("acme/tea").private = true;
    test.completes(SyncType::Incremental).await;
    assert_eq!(test.members("github:repo:acme/tea").await.len(), 2);
    test.github.world().rename("acme/tea", "acme/coffee");
    test.completes(SyncType::Incremental).await;
    test.github.world().rename("acme/secret", "other/secret");
    test.github.world().repo("other/secret").private = false;
    test.completes(SyncType::Full).await;
}

#[tokio::test]
async fn a_new_name_of_all_there_is_is_no_accident() {
    let test = Test::start().await;
    test.github
        .world()
        .issue("acme/tea", 20, "Lemon", Value::Null);
    test.completes(SyncType::Full).await;
    test.github.world().remove("acme/secret");
    test.completes(SyncType::Incremental).await;
    for (mode, old, new) in [
        (SyncType::Incremental, "acme/tea", "acme/mate"),
        (SyncType::Full, "acme/mate", "acme/tea"),
    ] {
        test.github.world().issue(old, 21, "Sugar", Value::Null);
        test.completes(SyncType::Incremental).await;
        test.github.world().rename(old, new);
        test.github.world().repo(new).issues.remove(&21);
        test.completes(mode).await;
    }
}

#[tokio::test]
async fn items_that_move_or_vanish_between_pages_cost_no_document() {
    let test = Test::start().await;
    test.github.world().per_page = Some(2);
    test.completes(SyncType::Full).await;
    let mut pages = 0;
    // The first page is out when an item of it changes, and moves to the end of the list, and another one vanishes.
    test.github.fail(move |entry, world| {
        pages += u32::from(entry.contains("/repos/acme/tea/issues?"));
        if pages == 2 {
            pages = 10;
            world.touch("acme/tea", 1, |issue| issue["title"] = "Moved".into());
            world.repo("acme/tea").issues.remove(&2);
        }
        None
    });
    test.run(SyncType::Full).await;
    test.github.works_again();
    test.completes(SyncType::Incremental).await;
}

#[tokio::test]
async fn more_changes_in_one_second_than_a_page_holds_are_all_read() {
    let test = Test::start().await;
    {
        let mut world = test.github.world();
        world.per_page = Some(2);
        for issue in world.repo("acme/tea").issues.values_mut() {
            issue["updated_at"] = "2026-01-01T00:00:00Z".into();
        }
    }
    test.completes(SyncType::Full).await;
}

#[tokio::test]
async fn a_group_whose_members_are_unknown_keeps_the_last_ones_and_one_that_lost_all_is_empty() {
    let test = Test::start().await;
    test.completes(SyncType::Full).await;
    test.github.world().repo("acme/secret").collaborators = None;
    test.completes(SyncType::Incremental).await;
    assert_eq!(test.members("github:repo:acme/secret").await.len(), 2);
    test.github.world().repo("acme/secret").collaborators = Some(vec!["nobody".to_owned()]);
    test.completes(SyncType::Incremental).await;
    assert_eq!(test.members("github:repo:acme/secret").await, [""; 0]);
}

#[tokio::test]
async fn comments_that_are_too_many_to_keep_are_read_for_each_item() {
    let test = Test::start().await;
    let long = vec!["More tea."; 6_500].join(" ");
    {
        let mut world = test.github.world();
        for number in 100..120 {
            world.issue("acme/tea", number, "Long", Value::Null);
            for _ in 0..55 {
                world.comment("acme/tea", number, &long, None);
            }
        }
    }
    test.completes(SyncType::Full).await;
    let asked = test.github.asked();
    let of_last = |it: &&String| it.contains("/issues/119/comments");
    assert_eq!(asked.iter().filter(of_last).count(), 1, "{asked:#?}");
}
