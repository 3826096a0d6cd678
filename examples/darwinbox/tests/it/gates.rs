//! Who may not do something is refused, and nothing happens.

use omni_connector::{AuthType, prelude::*};

use crate::{
    fake::Fake,
    support::{ADA, BOB, World, basic, open},
};

async fn configured(change: impl FnOnce(&mut Value)) -> World {
    let hr = Fake::start().await;
    let mut config = open(&hr);
    change(&mut config);
    World::with(hr, config, AuthType::BasicAuth, basic()).await
}

#[tokio::test]
async fn a_source_without_a_word_about_writing_is_read_only() {
    for (word, refused) in [(json!(null), 403), (json!(true), 400)] {
        let world = configured(|config| config["read_only"] = word).await;
        for (action, params) in [
            (
                "apply_my_leave",
                json!({ "leave_name": "Annual", "message": "x", "from_date": "2026-12-21", "to_date": "2026-12-21" }),
            ),
            (
                "revoke_my_leave",
                json!({ "leave_id": "L1", "revoke_reason": "x" }),
            ),
            (
                "approve_leave_request",
                json!({ "employee_no": "E2", "leave_id": "L1" }),
            ),
            (
                "reject_leave_request",
                json!({ "employee_no": "E2", "leave_id": "L1" }),
            ),
        ] {
            let (status, message) = world.refused(action, params, ADA).await;
            // The manager looks at the word itself before it asks.
            assert_eq!(status, refused, "{action}: {message}");
            assert!(message.contains("read-only"), "{action}: {message}");
        }
        assert!(world.hr.world().calls.is_empty());
    }
}

#[tokio::test]
async fn only_participants_act() {
    for (authorization, takes_part) in [
        (
            json!({ "participant_mode": "all", "participant_emails": [] }),
            true,
        ),
        (
            json!({ "participant_mode": "all", "participant_emails": null }),
            true,
        ),
        (
            json!({ "participant_mode": "allowlist", "participant_emails": [" Bob@Example.com "] }),
            true,
        ),
        (
            json!({ "participant_emails": ["bob@example.com"], "recruiter_emails": ["x@example.com"] }),
            true,
        ),
        (
            json!({ "participant_mode": "allowlist", "participant_emails": ["ada.light@example.com"] }),
            false,
        ),
        (
            json!({ "participant_mode": null, "allowed_report_ids": ["7"] }),
            false,
        ),
        (json!({}), false),
        (json!(null), false),
    ] {
        let world = configured(|config| config["authorization"] = authorization.clone()).await;
        let answer = world.answer("get_my_profile", json!({}), Some(BOB)).await;
        assert_eq!(
            answer.status,
            if takes_part { 200 } else { 403 },
            "{authorization}: {answer:?}"
        );
        assert_eq!(world.hr.world().calls.is_empty(), !takes_part);
    }
}

#[tokio::test]
async fn the_system_itself_does_not_act() {
    let world = World::start().await;
    let answer = world.answer("get_my_profile", json!({}), None).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}

#[tokio::test]
async fn self_service_refuses_to_be_about_somebody_else() {
    let world = World::start().await;
    for key in [
        "employee_id",
        "employee_no",
        "email",
        "company_email_id",
        "user_id",
    ] {
        for action in [
            "get_my_profile",
            "get_my_leave_balance",
            "get_my_attendance",
            "revoke_my_leave",
        ] {
            let mut params = json!({ "leave_id": "L1", "revoke_reason": "x" });
            params[key] = "E1".into();
            let (status, message) = world.refused(action, params, BOB).await;
            assert_eq!(status, 400, "{action}: {message}");
            assert!(message.contains(key), "{message}");
        }
    }
    assert!(world.hr.world().calls.is_empty());
}

#[tokio::test]
async fn an_address_belongs_to_exactly_one_employee() {
    let world = World::start().await;
    assert_eq!(
        world
            .refused("get_my_profile", json!({}), "eve@example.com")
            .await
            .0,
        404
    );
    world.hr.world().person("E3")["company_email_id"] = "BOB@example.com".into();
    assert_eq!(world.refused("get_my_profile", json!({}), BOB).await.0, 409);
}

#[tokio::test]
async fn nobody_decides_for_anybody_but_a_direct_report() {
    let world = World::start().await;
    // Somebody who is the own manager in Darwinbox, and a stranger.
    world.hr.world().person("E1")["direct_manager_employee_id"] = "E1".into();
    for (actor, target) in [(ADA, "E1"), (ADA, "E9"), (BOB, "E2"), (BOB, "E1")] {
        for action in ["approve_leave_request", "reject_leave_request"] {
            let params = json!({ "employee_no": target, "leave_id": "L1" });
            assert_eq!(
                world.refused(action, params, actor).await.0,
                403,
                "{actor} for {target}"
            );
        }
    }
    assert!(world.hr.calls("leavesactionapi/leaveaction").is_empty());
    assert_eq!(
        world
            .refused("list_pending_leave_approvals", json!({}), BOB)
            .await
            .0,
        403
    );
}

#[tokio::test]
async fn input_that_cannot_be_read_names_the_field_and_reaches_nobody() {
    let world = World::start().await;
    let leave = |key: &str, value: Value| {
        let mut leave = json!({ "leave_name": "Annual", "message": "x", "from_date": "2026-12-21", "to_date": "2026-12-22" });
        leave[key] = value;
        ("apply_my_leave", leave, key.to_owned())
    };
    for (action, params, field) in [
        leave("from_date", "soon".into()),
        leave("to_date", "2026-12-20".into()),
        leave("is_half_day", "maybe".into()),
        leave("is_paid_or_unpaid", 7.into()),
        leave("leave_name", Value::Null),
        (
            "get_holiday_calendar",
            json!({ "year": "26" }),
            "year".to_owned(),
        ),
        (
            "get_my_attendance",
            json!({ "month": "13-2026" }),
            "month".to_owned(),
        ),
        (
            "get_my_timesheet",
            json!({ "from": "2026-01-01" }),
            "to".to_owned(),
        ),
        ("find_employee", json!({ "query": " " }), "query".to_owned()),
    ] {
        let (status, message) = world.refused(action, params, BOB).await;
        assert_eq!(status, 400, "{action}: {message}");
        assert!(
            message.contains(&format!("`{field}`")),
            "{action}: {message}"
        );
    }
    assert!(world.hr.world().calls.is_empty());
}

#[tokio::test]
async fn a_config_that_cannot_be_used_names_the_field_and_a_strange_one_is_read() {
    for (key, value, problem) in [
        ("base_url", json!("http://acme.darwinbox.in"), "https"),
        (
            "base_url",
            json!("https://user:s3cret@acme.darwinbox.in"),
            "user",
        ),
        ("base_url", json!("acme"), "URL"),
        ("default_timezone", json!("Mars/Base"), "time zone"),
    ] {
        let world = configured(|config| config[key] = value).await;
        let (status, message) = world.refused("get_my_profile", json!({}), BOB).await;
        assert_eq!(status, 400, "{message}");
        assert!(
            message.contains(key) && message.contains(problem) && !message.contains("s3cret"),
            "{message}"
        );
    }
    let world = configured(|config| {
        config["base_url"] = format!("{}/", config["base_url"].as_str().unwrap()).into();
        config["default_timezone"] = "Asia/Kolkata".into();
        config["employee_scope"] = json!({ "mode": "all" });
        config["sync_modules"] = Value::Null;
        config["authorization"]["max_batch_size"] = json!("many");
    })
    .await;
    world.ask("get_my_attendance", json!({}), BOB).await;
}
