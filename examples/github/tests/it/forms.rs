//! Config, credentials and checkpoints in every form that Omni's own connector leaves, and in forms that nobody should.

use omni_connector::{AuthType, SyncType, prelude::*};

use crate::{fake::TOKEN, support::Test};

#[tokio::test]
async fn either_key_of_a_credential_counts_and_a_bad_one_is_refused_without_its_value() {
    let test = Test::start().await;
    for (kind, secret) in [
        (AuthType::BearerToken, json!({ "token": TOKEN })),
        (
            AuthType::Oauth,
            json!({ "access_token": TOKEN, "refresh_token": null, "token_type": "bearer", "scope": "repo" }),
        ),
        (
            AuthType::Oauth,
            json!({ "access_token": TOKEN, "token": null }),
        ),
        (
            AuthType::BearerToken,
            json!({ "token": TOKEN, "access_token": "" }),
        ),
    ] {
        test.set_credentials(kind, secret).await;
        test.completes(SyncType::Incremental).await;
    }
    for secret in [
        json!({}),
        json!({ "token": null }),
        json!({ "token": " " }),
        json!({ "token": { "x": "hunter2" } }),
        json!(["hunter2"]),
    ] {
        test.set_credentials(AuthType::BearerToken, secret.clone())
            .await;
        let refused = test.refusal(SyncType::Full).await;
        assert!(
            refused.contains("credentials") && !refused.contains("hunter2"),
            "{secret}: {refused}"
        );
    }
}

#[tokio::test]
async fn config_of_every_age_is_read_and_nonsense_is_named() {
    let test = Test::start().await;
    for more in [
        json!({ "include_discussions": true, "include_forks": false, "read_only": true }),
        json!({ "include_discussions": null, "include_forks": null, "repos": null, "orgs": null, "users": null }),
        json!({ "repos": ["acme/tea", "acme/secret"], "orgs": ["acme"], "users": [], "poll_seconds": 60 }),
        json!({ "repos": [], "users": ["acme"] }),
    ] {
        for (key, value) in more.as_object().unwrap() {
            test.configure(key, value.clone()).await;
        }
        test.completes(SyncType::Incremental).await;
    }
    test.configure("include_discussions", false.into()).await;
    test.run(SyncType::Incremental).await;
    assert!(
        !test.ids().await.iter().any(|id| id.contains("discussion")),
        "they are read no more"
    );
    for (key, value, named) in [
        (
            "api_url",
            json!("github"),
            "https://github.example.com/api/v3",
        ),
        ("repos", json!("acme/tea"), "repos"),
        ("include_forks", json!("yes"), "include_forks"),
    ] {
        test.configure(key, value).await;
        let refused = test.refusal(SyncType::Full).await;
        assert!(refused.contains(named), "{refused}");
    }
}

#[tokio::test]
async fn a_source_of_omnis_own_connector_goes_on_without_a_duplicate_or_an_orphan() {
    for mode in [SyncType::Incremental, SyncType::Full] {
        let test = Test::start().await;
        // The documents are there, and nothing but Omni's checkpoint knows of them.
        test.completes(SyncType::Full).await;
        let marks = json!({
            "issues_updated_at": "2024-03-15 00:00:00+00:00", "prs_updated_at": null,
            "discussions_updated_at": "2024-03-15T00:00:00Z", "commits_updated_at": "old",
        });
        test.set_checkpoint(json!({ "repos": { "acme/tea": marks, "acme/secret": marks, "acme/never": null }, "version": 1 })).await;
        {
            let mut world = test.github.world();
            world.repo("acme/tea").issues.remove(&3);
            world.repo("acme/tea").discussions.remove(&8);
            world.repo("acme/tea").private = true;
            world.rename("acme/secret", "acme/open");
            world.repo("acme/open").private = false;
        }
        test.completes(mode).await;
        // From here on it is a source like any other.
        test.completes(SyncType::Incremental).await;
    }
}

#[tokio::test]
async fn a_checkpoint_without_a_shape_is_refused_by_its_field_and_an_empty_one_is_a_beginning() {
    let test = Test::start().await;
    for checkpoint in [
        json!({}),
        json!({ "repos": null }),
        json!({ "repos": {}, "cursor": [1] }),
    ] {
        test.completes(SyncType::Full).await;
        test.set_checkpoint(checkpoint).await;
        test.completes(SyncType::Incremental).await;
    }
    test.set_checkpoint(json!({ "repos": ["acme/tea"] })).await;
    let refused = test.refusal(SyncType::Incremental).await;
    assert!(refused.contains("repos"), "{refused}");
    test.completes(SyncType::Full).await;
}
