//! What goes wrong is said with the status it has, and with nothing in it that nobody should know.

use omni_connector::prelude::*;

use crate::{
    hr::Trouble,
    support::{BO, HAL, World},
};

/// Every action, with params that fit, and whether it asks who acts.
fn everything() -> Vec<(&'static str, Value, bool)> {
    let period = json!({ "from": "2026-08-01", "to": "2026-08-31" });
    let leave = json!({ "leave_type": "sick", "from": "2026-09-01", "to": "2026-09-02" });
    let day = json!({ "date": "2026-08-21", "clock_in": "09:00", "clock_out": "17:30", "reason": "badge" });
    let request = json!({ "request_id": "R1" });
    vec![
        ("my_profile", json!({}), true),
        ("my_leave_balance", json!({}), true),
        ("my_requests", json!({}), true),
        ("apply_for_leave", leave, true),
        ("cancel_request", request.clone(), true),
        ("regularise_attendance", day, true),
        ("my_payslips", json!({}), true),
        ("my_payslip", json!({ "month": "2026-08" }), true),
        ("holidays", json!({ "year": 2026 }), true),
        ("my_team", json!({}), true),
        ("team_leave_calendar", period.clone(), true),
        ("pending_approvals", json!({}), true),
        ("approve_request", request.clone(), true),
        (
            "reject_request",
            json!({ "request_id": "R1", "reason": "the audit" }),
            true,
        ),
        ("search_people", json!({}), true),
        ("org_chart", json!({}), true),
        ("fetch_file", json!({ "file_id": "notice:N1" }), true),
        ("headcount", json!({}), false),
        ("new_joiners", period.clone(), false),
        ("leavers", period, false),
    ]
}

#[tokio::test]
async fn everything_is_everything() {
    let manifest = World::start().await.get("/manifest").await;
    let actions = manifest["actions"].as_array().unwrap();
    let declared: Vec<_> = actions
        .iter()
        .map(|action| {
            (
                action["name"].as_str().unwrap(),
                action["admin_only"] != true,
            )
        })
        .collect();
    let tested: Vec<_> = everything()
        .into_iter()
        .map(|(name, _, asks_who_acts)| (name, asks_who_acts))
        .collect();
    assert_eq!(declared, tested);
}

#[tokio::test]
async fn who_acts_must_be_known() {
    let world = World::start().await;
    for (action, params, asks_who_acts) in everything() {
        let (nobody, message) = world.refused(action, params.clone(), None).await;
        let (stranger, reason) = world.refused(action, params, "eve@example.com").await;
        if asks_who_acts {
            assert_eq!(nobody, 403, "{action}: {message}");
            assert_eq!(
                (stranger, reason.as_str()),
                (404, "No such employee"),
                "{action}"
            );
        } else {
            // The system itself may; a person has to be an admin.
            assert_eq!((nobody, stranger), (200, 400), "{action}: {message}");
            assert!(reason.contains("admin"), "{action}: {reason}");
        }
    }
}

#[tokio::test]
async fn an_hr_system_that_is_down_is_502_and_one_that_fails_says_why() {
    let world = World::start().await;
    for (action, params, _) in everything() {
        world.hr.is_in(Trouble::Down);
        let (status, message) = world.refused(action, params.clone(), HAL).await;
        assert_eq!(status, 502, "{action}");
        assert!(
            message.contains("503 Service Unavailable"),
            "{action}: {message}"
        );
        world.hr.is_in(Trouble::Fails);
        let (status, message) = world.refused(action, params, HAL).await;
        assert_eq!(status, 502, "{action}");
        assert!(
            message.ends_with("failed: Something went wrong"),
            "{action}: {message}"
        );
    }
}

#[tokio::test]
async fn a_busy_hr_system_is_429_with_when_to_come_back() {
    let world = World::start().await;
    for (action, params, _) in everything() {
        world.hr.is_in(Trouble::Busy {
            calls: 1,
            retry_after: "17",
        });
        let answer = world.call(action, params, Some(HAL)).await;
        assert_eq!(answer.status, 429, "{action}: {}", answer.text);
        assert_eq!(answer.headers["retry-after"], "17", "{action}");
    }
}

#[tokio::test]
async fn a_key_that_was_revoked_is_401_and_not_in_the_message() {
    let world = World::start().await;
    world.hr.is_in(Trouble::KeyRevoked);
    let (status, message) = world.refused("my_profile", json!({}), BO).await;
    assert_eq!(status, 401);
    assert!(message.contains("renew it"), "{message}");
    assert!(!message.contains("s3cret"), "{message}");
}

#[tokio::test]
async fn an_answer_of_another_shape_names_the_field_and_not_its_value() {
    let world = World::start().await;
    world
        .hr
        .later(|company| company.employee("E2")["joined_on"] = "2021-03-01".into());
    let (status, message) = world.refused("my_profile", json!({}), BO).await;
    assert_eq!(status, 502);
    assert!(message.contains("`joined_on`"), "{message}");
    assert!(!message.contains("2021"), "{message}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_404() {
    let world = World::start().await;
    let refused = world
        .refused("my_payslip", json!({ "month": "2026-01" }), BO)
        .await;
    assert_eq!(refused, (404, "No such payslip".to_owned()));
}

#[tokio::test]
async fn what_the_hr_system_refuses_keeps_its_meaning() {
    let world = World::start().await;
    let taken = json!({ "leave_type": "annual", "from": "2026-08-24", "to": "2026-08-25" });
    let (status, message) = world.refused("apply_for_leave", taken, BO).await;
    assert_eq!(
        (status, message.as_str()),
        (409, "There is a request for 24-08-2026")
    );
    let casual = json!({ "leave_type": "casual", "from": "2026-09-24", "to": "2026-09-25" });
    let (status, message) = world.refused("apply_for_leave", casual, BO).await;
    assert_eq!(
        (status, message.as_str()),
        (400, "Casual leave is for single days")
    );
}
