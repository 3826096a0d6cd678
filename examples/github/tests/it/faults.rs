//! Whatever GitHub answers, nothing is deleted that is there, and the next good run has everything.

use omni_connector::{SyncType, prelude::*};

use crate::{fake::Fault, support::Test};

/// Lists and single things, by a part of their request.
const REQUESTS: [&str; 9] = [
    "/user/repos",
    "/repos/acme/tea/readme",
    "/repos/acme/tea/issues?",
    "/repos/acme/tea/issues/comments",
    "/repos/acme/tea/pulls/comments",
    "/repos/acme/secret/collaborators",
    "discussions(first",
    "totalCount",
    "organizationVerified",
];

fn faults(request: &str) -> Vec<Fault> {
    let mut faults = vec![
        Fault::Html,
        Fault::Status(403, &[], "Resource not accessible by personal access token"),
        Fault::Status(422, &[], "Validation Failed"),
        Fault::Cut,
    ];
    // Without a README there is none.
    if !request.contains("readme") {
        faults.push(Fault::Status(404, &[], "Not Found"));
    }
    if !request.starts_with('/') {
        faults.push(Fault::GraphqlError("FORBIDDEN"));
        faults.push(Fault::GraphqlError("NOT_FOUND"));
    }
    faults
}

#[tokio::test]
async fn a_fault_anywhere_deletes_nothing_and_the_next_run_has_everything() {
    let test = Test::start().await;
    test.completes(SyncType::Full).await;
    let all = test.ids().await;
    for request in REQUESTS {
        for fault in faults(request) {
            test.github.world().touch("acme/tea", 1, |_| {});
            // For ever, as the kit repeats what can be repeated.
            test.github
                .fail(move |entry, _| entry.contains(request).then(|| fault.clone()));
            for mode in [SyncType::Incremental, SyncType::Full] {
                test.run(mode).await;
                assert_eq!(test.ids().await, all, "{request}");
            }
            test.github.works_again();
            test.completes(SyncType::Incremental).await;
        }
    }
}

#[tokio::test]
async fn limits_are_waited_for_and_cost_nothing() {
    let test = Test::start().await;
    let limits = [
        Fault::Status(429, &[("retry-after", "1")], "Too many requests"),
        Fault::Status(
            403,
            &[("retry-after", "1")],
            "You have exceeded a secondary rate limit",
        ),
        Fault::Status(
            403,
            &[("x-ratelimit-remaining", "0")],
            "API rate limit exceeded for user ID 7.",
        ),
        Fault::GraphqlError("RATE_LIMITED"),
    ];
    let mut left: Vec<_> = limits.into_iter().collect();
    test.github.fail(move |entry, _| {
        let is_graphql = entry.starts_with("graphql");
        if !is_graphql && !entry.contains("/repos/acme/tea/issues") {
            return None;
        }
        let next = left
            .iter()
            .position(|it| matches!(it, Fault::GraphqlError(_)) == is_graphql)?;
        Some(left.remove(next))
    });
    test.completes(SyncType::Full).await;
}

#[tokio::test]
async fn a_token_that_is_refused_ends_the_run_with_its_reason() {
    let test = Test::start().await;
    test.completes(SyncType::Full).await;
    let all = test.ids().await;
    let mut requests = 0;
    test.github.fail(move |_, _| {
        requests += 1;
        (requests > 5).then_some(Fault::Status(401, &[], "Bad credentials"))
    });
    let error = test.fails(SyncType::Full).await;
    assert!(
        error.contains("401") && error.contains("Bad credentials"),
        "{error}"
    );
    assert_eq!(test.ids().await, all);
}

#[tokio::test]
async fn a_repository_that_one_list_lacks_is_looked_for_once_more() {
    let test = Test::start().await;
    test.completes(SyncType::Full).await;
    let all = test.ids().await;
    for mode in [SyncType::Full, SyncType::Incremental] {
        test.github.world().hidden = Some("acme/tea".to_owned());
        test.run(mode).await;
        assert_eq!(test.ids().await, all);
    }
}

#[tokio::test]
async fn named_repositories_that_cannot_be_read_are_failures_and_delete_nothing() {
    let test = Test::start().await;
    test.completes(SyncType::Full).await;
    let all = test.ids().await;
    test.configure("repos", json!(["acme/tea", "acme/gone"]))
        .await;
    test.sync(SyncType::Incremental).await;
    assert_eq!(
        test.ids().await,
        all,
        "the list is not whole, so nothing is proven gone"
    );
    test.configure("repos", json!(["acme/tea"])).await;
    test.run(SyncType::Incremental).await;
    assert!(test.ids().await.iter().all(|id| id.contains("acme/tea")));
}
