//! What a caller gets wrong is said before anybody is asked.

use omni_connector::prelude::*;

use crate::support::{HAL, World};

#[tokio::test]
async fn malformed_params_are_400_with_the_field_and_reach_nobody() {
    let world = World::start().await;
    let leave = |key: &str, value: Value| {
        let mut leave = json!({ "leave_type": "annual", "from": "2026-09-01", "to": "2026-09-02" });
        leave[key] = value;
        leave
    };
    let cases = [
        (
            "apply_for_leave",
            json!({ "leave_type": "annual", "from": "2026-09-01" }),
            "`to`",
        ),
        (
            "apply_for_leave",
            leave("leave_type", "gap_year".into()),
            "`leave_type`",
        ),
        (
            "apply_for_leave",
            leave("from", "01-09-2026".into()),
            "`from`",
        ),
        (
            "apply_for_leave",
            leave("to", "2026-08-31".into()),
            "leave ends on or after",
        ),
        (
            "apply_for_leave",
            leave("half_day", true.into()),
            "half a day",
        ),
        (
            "apply_for_leave",
            leave("reason", "x".repeat(501).into()),
            "`reason`",
        ),
        ("my_requests", json!({ "status": "lost" }), "`status`"),
        ("cancel_request", json!({}), "`request_id`"),
        (
            "regularise_attendance",
            json!({ "date": "2026-08-21", "clock_in": "9" }),
            "`clock_in`",
        ),
        ("my_payslip", json!({ "month": "08-2026" }), "`month`"),
        ("holidays", json!({ "year": 1999 }), "`year`"),
        (
            "team_leave_calendar",
            json!({ "from": "2026-08-01" }),
            "`to`",
        ),
        (
            "approve_request",
            json!({ "request_id": 7 }),
            "`request_id`",
        ),
        (
            "reject_request",
            json!({ "request_id": "R1", "reason": "no" }),
            "`reason`",
        ),
        ("search_people", json!({ "query": 7 }), "`query`"),
        ("org_chart", json!({ "person": "Ada" }), "`person`"),
        ("fetch_file", json!({}), "`document_id`"),
        (
            "headcount",
            json!({ "group_by": "shoe_size" }),
            "`group_by`",
        ),
        (
            "new_joiners",
            json!({ "from": "2026-13-01", "to": "2026-12-31" }),
            "`from`",
        ),
        ("leavers", json!({ "to": "2026-12-31" }), "`from`"),
    ];
    for (action, params, expected) in cases {
        let (status, message) = world.refused(action, params, HAL).await;
        assert_eq!(status, 400, "{action}: {message}");
        assert!(message.contains(expected), "{action}: {message}");
    }
    for endpoint in [
        "employees/get",
        "leave/apply",
        "requests/list",
        "requests/decide",
    ] {
        assert_eq!(world.hr.calls(endpoint), 0, "{endpoint}");
    }
}
