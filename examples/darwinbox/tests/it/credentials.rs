//! The three forms of a credential.

use omni_connector::{AuthType, SyncType, prelude::*};

use crate::{
    fake::{Fake, Trouble},
    support::{BOB, World, basic, open},
};

fn oauth(form: &str) -> Value {
    json!({
        "auth_type": form, "client_id": "hr-client", "client_secret": "client-s3cret", "api_key": "hr-key",
        "dataset_key": "hr-set", "old_field": 1,
    })
}

fn dynamic(grant: &str) -> Value {
    let mut secret = oauth("dynamic_token");
    secret["grant_type"] = grant.into();
    secret["code"] = if grant == "refresh_token" {
        Value::Null
    } else {
        "code-0".into()
    };
    secret["refresh_token"] = if grant == "refresh_token" {
        "refresh-0".into()
    } else {
        Value::Null
    };
    secret
}

async fn signed_in(secret: Value) -> World {
    let hr = Fake::start().await;
    let config = open(&hr);
    World::with(hr, config, AuthType::Oauth, secret).await
}

#[tokio::test]
async fn every_form_works_and_a_token_serves_more_than_one_call() {
    for (secret, path) in [
        (oauth("client_credentials"), "oauth/v2token"),
        (dynamic("refresh_token"), "oauth/v1token"),
        (dynamic("authorization_code"), "oauth/v1token"),
    ] {
        let world = signed_in(secret).await;
        world.sync(SyncType::Full).await;
        world.ask("get_my_profile", json!({}), BOB).await;
        assert_eq!(world.hr.calls(path).len(), 1, "{path}");
        let calls = world.hr.world().calls.clone();
        let of_master: Vec<_> = calls
            .iter()
            .filter(|(path, ..)| path == "masterapi/employee")
            .collect();
        assert!(of_master.iter().all(|(_, body, given)| body["datasetKey"] == "hr-set" && given == "Bearer token-1"));
        let others = calls.iter().filter(|(path, ..)| path.contains("list"));
        assert!(
            others.clone().count() > 5
                && others
                    .clone()
                    .all(|(_, body, _)| body.get("datasetKey").is_none())
        );
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_is_kept_and_a_used_code_is_not_sent_again() {
    for (grant, used) in [
        ("refresh_token", "refresh-0"),
        ("authorization_code", "code-0"),
    ] {
        let world = signed_in(dynamic(grant)).await;
        for round in 1..4 {
            world.ask("get_my_profile", json!({}), BOB).await;
            assert_eq!(world.hr.calls("oauth/v1token").len(), round);
            // The token ends before its time.
            world.hr.world().token = "revoked".to_owned();
        }
        let asked = world.hr.calls("oauth/v1token");
        assert_eq!(
            asked
                .iter()
                .filter(|body| body.to_string().contains(used))
                .count(),
            1
        );
        assert_eq!(asked[2]["refresh_token"], "refresh-2");
    }
}

#[tokio::test]
async fn a_token_that_ends_during_a_write_lets_it_happen_once() {
    let world = signed_in(dynamic("refresh_token")).await;
    let leave = json!({ "leave_name": "Annual", "message": "x", "from_date": "2026-12-21", "to_date": "2026-12-21" });
    world.ask("get_my_profile", json!({}), BOB).await;
    world
        .hr
        .fails("leavesactionapi/importleave", Trouble::Status(401), 1);
    world.ask("apply_my_leave", leave, BOB).await;
    assert_eq!(world.hr.world().leaves.len(), 1);
    assert_eq!(world.hr.calls("oauth/v1token").len(), 2);
}

#[tokio::test]
async fn a_credential_that_does_not_work_is_found_before_a_run() {
    let mut wrong = basic();
    wrong["password"] = "wrong-s3cret".into();
    let mut stale = dynamic("refresh_token");
    stale["refresh_token"] = "stale-s3cret".into();
    for (secret, auth_type) in [(wrong, AuthType::BasicAuth), (stale, AuthType::Oauth)] {
        let hr = Fake::start().await;
        let config = open(&hr);
        let world = World::with(hr, config, auth_type, secret).await;
        let refused = world.refusal(SyncType::Full).await;
        assert!(
            refused.contains("refuses the credential") || refused.contains("Invalid grant"),
            "{refused}"
        );
        assert!(!refused.contains("s3cret"), "{refused}");
    }
}

#[tokio::test]
async fn a_credential_of_another_shape_names_the_field_and_no_value() {
    for (change, field) in [
        (("auth_type", json!("kerberos")), "auth_type"),
        (("auth_type", Value::Null), "auth_type"),
        (("password", json!(["pass-s3cret"])), "credentials"),
        (("dataset_key", Value::Null), "credentials"),
    ] {
        let hr = Fake::start().await;
        let config = open(&hr);
        let mut secret = basic();
        secret[change.0] = change.1;
        let world = World::with(hr, config, AuthType::BasicAuth, secret).await;
        let (status, message) = world.refused("get_my_profile", json!({}), BOB).await;
        assert_eq!(status, 400, "{message}");
        assert!(message.contains(field), "{message}");
        assert!(
            !message.contains("s3cret") && !message.contains("hr-pass"),
            "{message}"
        );
    }
    let mut missing = dynamic("authorization_code");
    missing["code"] = Value::Null;
    let (status, message) = signed_in(missing)
        .await
        .refused("get_my_profile", json!({}), BOB)
        .await;
    assert_eq!(status, 400, "{message}");
    assert!(message.contains("`code`"), "{message}");
}
