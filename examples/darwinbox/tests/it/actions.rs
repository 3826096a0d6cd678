//! Every action does what it says, for the person who may ask for it.

use omni_connector::prelude::*;

use crate::{
    fake::Trouble,
    support::{ADA, BOB, CAROL, World},
};

fn leave() -> Value {
    json!({ "leave_name": "Annual", "message": "Sailing", "from_date": "2026-12-21", "to_date": "31-Dec-2026" })
}

#[tokio::test]
async fn people_see_their_own_profile_and_find_colleagues_by_safe_fields() {
    let world = World::start().await;
    let card = json!({
        "display_name": "Bob B. Boat", "employee_id": "E2", "company_email_id": BOB, "department_name": "Boats",
        "designation_name": "Painter", "office_area": "South pier", "direct_manager_employee_id": "E1",
        "employee_type": "Permanent",
    });
    assert_eq!(
        world.ask("get_my_profile", json!({}), BOB).await,
        json!({ "employee": card })
    );
    // Who is no employee may look people up, too.
    for (query, count) in [("bob", 1), ("E2", 1), ("boats", 2), ("nobody", 0)] {
        let found = world
            .ask(
                "find_employee",
                json!({ "query": query }),
                "guest@example.com",
            )
            .await;
        assert_eq!(
            found["employees"].as_array().unwrap().len(),
            count,
            "{query}: {found}"
        );
    }
}

#[tokio::test]
async fn people_see_their_own_balance_holidays_tasks_attendance_and_timesheet() {
    let world = World::start().await;
    let balance = world.ask("get_my_leave_balance", json!({}), BOB).await;
    let expected = json!([{ "employee_no": "E2", "leave_name": "Annual", "currently_availabel_balance": 12.5, "yearly_allotment": "30", "taken": 3 }]);
    assert_eq!(balance, json!({ "status": 1, "data": expected }));
    let holidays = world
        .ask(
            "get_holiday_calendar",
            json!({ "year": OffsetDateTime::now_utc().year().to_string() }),
            BOB,
        )
        .await;
    assert_eq!(holidays["holidays"][0]["name"], "Harbour day");
    let tasks = world.ask("get_my_pending_tasks", json!({}), BOB).await;
    let task = &tasks["data"]["tasks_data"]["policy"]["details"]["1"];
    assert_eq!(
        task,
        &json!({ "title": "Sign the policy", "headers_data": { "Policy Name": "Conduct" } })
    );
    assert_eq!(
        world.hr.calls("orgmasterapi/getTasks")[0]["employee_id"],
        "E2"
    );
    let attendance = world
        .ask("get_my_attendance", json!({ "month": "2026-08" }), BOB)
        .await;
    assert_eq!(
        attendance["data"][0],
        json!({ "emp": "E2", "shift": "Early", "month": "2026-08" })
    );
    world
        .ask(
            "get_my_attendance",
            json!({ "from_date": "01-08-2026", "to_date": "2026-08-31" }),
            BOB,
        )
        .await;
    world.ask("get_my_attendance", json!({}), BOB).await;
    let asked = world.hr.calls("AttendanceDataApi/monthly");
    assert_eq!(
        (
            &asked[1]["from_date"],
            &asked[1]["to_date"],
            &asked[1]["month"]
        ),
        (&json!("2026-08-01"), &json!("2026-08-31"), &Value::Null)
    );
    assert_eq!(asked[2]["month"].as_str().unwrap().len(), 7);
    let period = json!({ "from": "01-08-2026", "to": "02-08-2026" });
    let sheet = world.ask("get_my_timesheet", period, BOB).await;
    assert_eq!(
        sheet["data"][0],
        json!({ "from": "2026-08-01", "hours": "7:30" })
    );
}

#[tokio::test]
async fn leave_is_applied_for_decided_and_revoked() {
    let world = World::start().await;
    let submitted = world.ask("apply_my_leave", leave(), BOB).await;
    assert_eq!(
        submitted,
        json!({ "status": "submitted", "action": "apply_my_leave" })
    );
    let sent = world.hr.calls("leavesactionapi/importleave")[0]["data"].clone();
    let expected = json!([{
        "employee_no": "E2", "leave_name": "Annual", "message": "Sailing", "from_date": "21-12-2026", "to_date": "31-12-2026",
        "is_half_day": "No", "is_paid_or_unpaid": "paid", "revoke_leave": "No",
    }]);
    assert_eq!(sent, expected);
    let waiting = world
        .ask("list_pending_leave_approvals", json!({}), ADA)
        .await;
    assert_eq!(
        (
            &waiting["data"][0]["id"],
            &waiting["data"][0]["employee_no"]
        ),
        (&json!("L1"), &json!("E2"))
    );
    let decision = json!({ "employee_no": "E2", "leave_id": "L1", "manager_message": "Enjoy" });
    let approved = world
        .ask("approve_leave_request", decision.clone(), ADA)
        .await;
    assert_eq!(
        approved,
        json!({ "status": "submitted", "action": "approve_leave_request" })
    );
    let period = json!({ "from": "2026-12-01", "to": "2026-12-31" });
    let away = world
        .ask("get_team_leave_calendar", period.clone(), ADA)
        .await;
    assert_eq!(away["data"][0]["from"], "21-12-2026");
    let asked = world.hr.calls("leavesactionapi/leaveActionTakenLeaves");
    assert_eq!(
        (&asked[1]["from"], &asked[1]["action"]),
        (&json!("01-12-2026"), &json!("2"))
    );
    world.ask("reject_leave_request", decision, ADA).await;
    assert_eq!(world.hr.world().leaves[0]["state"], "reject");
    let mine = world.ask("get_my_leave_requests", period, BOB).await;
    assert_eq!(mine["data"][0]["id"], "L1");
    let revocation = json!({ "leave_id": "L1", "revoke_reason": "Storm" });
    world.ask("revoke_my_leave", revocation, BOB).await;
    assert!(world.hr.world().leaves.is_empty());
}

#[tokio::test]
async fn half_a_day_says_which_half() {
    let world = World::start().await;
    let mut half = leave();
    half["is_half_day"] = "Yes".into();
    half["to_date"] = "2026-12-21".into();
    assert_eq!(
        world.refused("apply_my_leave", half.clone(), BOB).await.0,
        400
    );
    half["is_firsthalf_secondhalf"] = "2".into();
    world.ask("apply_my_leave", half, BOB).await;
    assert_eq!(
        world.hr.calls("leavesactionapi/importleave")[0]["data"][0]["is_firsthalf_secondhalf"],
        "2"
    );
}

#[tokio::test]
async fn a_manager_of_eight_sees_the_leave_of_all_eight() {
    let world = World::start().await;
    for number in 10..16 {
        let mut person = world.hr.world().person("E2").clone();
        person["employee_id"] = format!("E{number}").into();
        person["company_email_id"] = format!("e{number}@example.com").into();
        world.hr.world().people.push(person);
        let leave = json!({ "id": format!("L{number}"), "employee_no": format!("E{number}"), "state": "pending" });
        world.hr.world().leaves.push(leave);
    }
    let leaves = ["E2", "E3"]
        .map(|number| json!({ "id": number, "employee_no": number, "state": "pending" }));
    world.hr.world().leaves.extend(leaves);
    // The form of Omni sets `max_batch_size` to 1, and so does this source.
    let waiting = world
        .ask("list_pending_leave_approvals", json!({}), ADA)
        .await;
    assert_eq!(waiting["data"].as_array().unwrap().len(), 8);
    world
        .ask(
            "approve_leave_request",
            json!({ "employee_no": "E15", "leave_id": "L15" }),
            ADA,
        )
        .await;
}

#[tokio::test]
async fn a_refusal_with_status_200_is_an_error_of_every_action() {
    let world = World::start().await;
    let period = json!({ "from": "2026-08-01", "to": "2026-08-02" });
    let decision = json!({ "employee_no": "E2", "leave_id": "L1" });
    let leaves = "leavesactionapi/leaveActionTakenLeaves";
    for (action, params, path) in [
        ("get_my_profile", json!({}), "masterapi/employee"),
        (
            "find_employee",
            json!({ "query": "bob" }),
            "masterapi/employee",
        ),
        (
            "get_my_leave_balance",
            json!({}),
            "leavesactionapi/leavebalance",
        ),
        (
            "get_holiday_calendar",
            json!({}),
            "leavesactionapi/holidaylist",
        ),
        ("get_my_leave_requests", period.clone(), leaves),
        ("get_my_pending_tasks", json!({}), "orgmasterapi/getTasks"),
        ("get_my_attendance", json!({}), "AttendanceDataApi/monthly"),
        (
            "get_my_timesheet",
            period.clone(),
            "attendanceDataApi/timesheetdatewise",
        ),
        ("apply_my_leave", leave(), "leavesactionapi/importleave"),
        (
            "revoke_my_leave",
            json!({ "leave_id": "L1", "revoke_reason": "x" }),
            "leavesactionapi/importleave",
        ),
        ("list_pending_leave_approvals", json!({}), leaves),
        ("get_team_leave_calendar", period, leaves),
        (
            "approve_leave_request",
            decision.clone(),
            "leavesactionapi/leaveaction",
        ),
        (
            "reject_leave_request",
            decision,
            "leavesactionapi/leaveaction",
        ),
    ] {
        world.hr.fails(path, Trouble::Refuses, 1);
        let (status, message) = world.refused(action, params, ADA).await;
        assert_eq!(status, 400, "{action}: {message}");
        assert!(
            message.contains("Not today") && message.contains(path),
            "{action}: {message}"
        );
    }
}

#[tokio::test]
async fn a_busy_or_failing_darwinbox_is_asked_again_by_a_read() {
    let world = World::start().await;
    world
        .hr
        .fails("masterapi/employee", Trouble::Status(503), 1);
    world.ask("get_my_profile", json!({}), CAROL).await;
    assert_eq!(world.hr.calls("masterapi/employee").len(), 2);
}
