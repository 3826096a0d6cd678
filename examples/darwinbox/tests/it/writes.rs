//! Nothing is written twice, and nothing is said to be written that was refused.

use omni_connector::prelude::*;

use crate::{
    fake::Trouble,
    support::{ADA, BOB, World},
};

const WRITES: [(&str, &str, &str); 4] = [
    ("apply_my_leave", "leavesactionapi/importleave", BOB),
    ("revoke_my_leave", "leavesactionapi/importleave", BOB),
    ("approve_leave_request", "leavesactionapi/leaveaction", ADA),
    ("reject_leave_request", "leavesactionapi/leaveaction", ADA),
];

fn params(action: &str) -> Value {
    match action {
        "apply_my_leave" => {
            json!({ "leave_name": "Annual", "message": "x", "from_date": "2026-12-21", "to_date": "2026-12-21" })
        }
        "revoke_my_leave" => json!({ "leave_id": "L1", "revoke_reason": "x" }),
        _ => json!({ "employee_no": "E2", "leave_id": "L1" }),
    }
}

#[tokio::test]
async fn a_write_that_fails_is_sent_once_and_its_doubt_is_said() {
    let world = World::start().await;
    world
        .hr
        .world()
        .leaves
        .push(json!({ "id": "L1", "employee_no": "E2", "state": "pending" }));
    for (action, path, actor) in WRITES {
        for trouble in [
            Trouble::AfterActing,
            Trouble::Status(500),
            Trouble::Status(503),
            Trouble::Body("<html><title>Busy</title>"),
            Trouble::Body("{\"stat"),
        ] {
            let before = world.hr.calls(path).len();
            world.hr.fails(path, trouble.clone(), 9);
            let (status, message) = world.refused(action, params(action), actor).await;
            assert_eq!(status, 502, "{action} {trouble:?}: {message}");
            assert!(message.contains("may have acted"), "{action}: {message}");
            assert_eq!(
                world.hr.calls(path).len(),
                before + 1,
                "{action} {trouble:?}"
            );
        }
    }
    assert_eq!(
        world
            .hr
            .world()
            .leaves
            .iter()
            .filter(|leave| leave["from_date"] == "21-12-2026")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_write_that_darwinbox_does_not_confirm_is_an_error() {
    let world = World::start().await;
    for (action, path, actor) in WRITES {
        for (body, expected) in [
            ("{\"status\": 0, \"message\": \"No balance\"}", 400),
            ("{\"status\": \"0\", \"errors\": [\"No balance\"]}", 400),
            ("{\"status\": 1, \"errors\": [\"No balance\"]}", 400),
            ("{\"status\": null}", 400),
            ("{\"message\": \"ok\"}", 502),
            ("", 502),
            ("[]", 502),
        ] {
            world.hr.fails(path, Trouble::Body(body), 1);
            let (status, message) = world.refused(action, params(action), actor).await;
            assert_eq!(status, expected, "{action} {body}: {message}");
            assert!(
                !body.contains("No balance") || message.contains("No balance"),
                "{message}"
            );
        }
    }
}

#[tokio::test]
async fn a_write_that_was_refused_as_busy_is_sent_again_since_nothing_happened() {
    let world = World::start().await;
    world
        .hr
        .fails("leavesactionapi/importleave", Trouble::Status(429), 1);
    world
        .ask("apply_my_leave", params("apply_my_leave"), BOB)
        .await;
    assert_eq!(world.hr.world().leaves.len(), 1);
}
