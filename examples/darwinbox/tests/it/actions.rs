//! Every action does what it says, for the person who may ask for it.

use omni_connector::prelude::*;

use crate::support::{ADA, BO, HAL, World};

#[tokio::test]
async fn people_see_their_own_record_and_balance() {
    let world = World::start().await;
    let me = world.ask("my_profile", json!({}), BO).await;
    let expected = json!({
        "employee_no": "E2", "name": "Bo", "email": BO, "job_title": "Specialist", "department": "Engineering",
        "location": "Berlin", "manager_no": "E1", "manager_email": ADA, "employee_type": "permanent",
        "joined_on": "2021-03-01", "left_on": null, "confidential": false,
    });
    assert_eq!(me, expected);
    let balance = world.ask("my_leave_balance", json!({}), BO).await;
    assert_eq!(
        balance[0],
        json!({ "leave_type": "annual", "entitled": 30.0, "available": 12.5 })
    );
}

#[tokio::test]
async fn people_see_their_own_requests() {
    let world = World::start().await;
    let ids = async |status: Value| {
        let requests = world
            .ask("my_requests", json!({ "status": status }), BO)
            .await;
        let ids = requests
            .as_array()
            .unwrap()
            .iter()
            .map(|request| request["request_id"].clone());
        Value::Array(ids.collect())
    };
    assert_eq!(ids(Value::Null).await, json!(["R1", "R3"]));
    assert_eq!(ids("approved".into()).await, json!(["R3"]));
}

#[tokio::test]
async fn leave_is_applied_for_and_withdrawn() {
    let world = World::start().await;
    let leave = json!({ "leave_type": "annual", "from": "2026-12-21", "to": "2026-12-31" });
    let request = world.ask("apply_for_leave", leave, BO).await;
    let expected = json!({
        "request_id": "R4", "employee_no": "E2", "kind": "leave", "leave_type": "annual", "status": "pending",
        "from": "2026-12-21", "to": "2026-12-31", "reason": "",
    });
    assert_eq!(request, expected);
    let cancelled = world
        .ask("cancel_request", json!({ "request_id": "R4" }), BO)
        .await;
    assert_eq!(cancelled["status"], "cancelled");
}

#[tokio::test]
async fn attendance_is_regularised() {
    let world = World::start().await;
    let day = json!({
        "date": "2026-08-21", "clock_in": "09:00", "clock_out": "17:30", "reason": "forgot my badge",
    });
    let request = world.ask("regularise_attendance", day, BO).await;
    assert_eq!(request["kind"], "attendance");
    assert_eq!(request["from"], "2026-08-21");
    let waiting = world.ask("pending_approvals", json!({}), ADA).await;
    assert_eq!(waiting[1]["request_id"], request["request_id"]);
}

#[tokio::test]
async fn a_payslip_is_a_file() {
    let world = World::start().await;
    assert_eq!(
        world.ask("my_payslips", json!({}), BO).await,
        json!(["2026-08", "2026-07"])
    );
    let payslip = world
        .call("my_payslip", json!({ "month": "2026-08" }), Some(BO))
        .await;
    assert_eq!(
        (payslip.status, payslip.text.as_str()),
        (200, "%PDF payslip")
    );
    assert_eq!(payslip.headers["content-type"], "application/pdf");
    assert_eq!(payslip.headers["x-file-name"], "Payslip 2026-08.pdf");
}

#[tokio::test]
async fn holidays_are_those_of_the_persons_office() {
    let world = World::start().await;
    let holidays = world.ask("holidays", json!({ "year": 2026 }), BO).await;
    assert_eq!(
        holidays,
        json!([{ "date": "2026-10-03", "name": "Unity Day, Berlin" }])
    );
}

#[tokio::test]
async fn managers_see_their_team_and_its_leave() {
    let world = World::start().await;
    let team = world.ask("my_team", json!({}), ADA).await;
    let names: Vec<_> = team
        .as_array()
        .unwrap()
        .iter()
        .map(|person| &person["name"])
        .collect();
    assert_eq!(names, ["Bo", "Cy"]);
    let august = json!({ "from": "2026-08-28", "to": "2026-09-30" });
    let away = world.ask("team_leave_calendar", august, ADA).await;
    let bo = json!({ "name": "Bo", "from": "2026-08-24", "to": "2026-08-28", "status": "pending" });
    assert_eq!(away, json!([bo]));
    let july = json!({ "from": "2026-07-01", "to": "2026-08-23" });
    assert_eq!(world.ask("team_leave_calendar", july, ADA).await, json!([]));
    let september = json!({ "from": "2026-08-29", "to": "2026-09-30" });
    assert_eq!(
        world.ask("team_leave_calendar", september, ADA).await,
        json!([])
    );
}

#[tokio::test]
async fn managers_decide() {
    let world = World::start().await;
    let waiting = world.ask("pending_approvals", json!({}), ADA).await;
    assert_eq!(waiting.as_array().unwrap().len(), 1);
    let approved = world
        .ask("approve_request", json!({ "request_id": "R1" }), ADA)
        .await;
    assert_eq!(approved["status"], "approved");
    let no = json!({ "request_id": "R2", "reason": "the audit is that week" });
    let rejected = world.ask("reject_request", no, HAL).await;
    assert_eq!(rejected["status"], "rejected");
    assert_eq!(
        world.ask("pending_approvals", json!({}), ADA).await,
        json!([])
    );
}

#[tokio::test]
async fn colleagues_are_found_unless_they_keep_out_of_the_directory() {
    let world = World::start().await;
    let names = async |query: Value, actor: &str| {
        let found = world.ask("search_people", query, actor).await;
        let names = found
            .as_array()
            .unwrap()
            .iter()
            .map(|person| person["name"].clone());
        Value::Array(names.collect())
    };
    assert_eq!(names(json!({ "query": "bo" }), HAL).await, json!(["Bo"]));
    let culture = json!({ "in_department": "People & Culture" });
    assert_eq!(names(culture.clone(), BO).await, json!(["Hal"]));
    assert_eq!(names(culture, HAL).await, json!(["Hal", "Ivy"]));
    let found = world
        .ask("search_people", json!({ "query": "bo" }), HAL)
        .await;
    let card = json!({
        "name": "Bo", "email": BO, "job_title": "Specialist", "department": "Engineering", "location": "Berlin",
        "manager": ADA,
    });
    assert_eq!(found, json!([card]));
}

#[tokio::test]
async fn the_org_chart_goes_up_and_down() {
    let world = World::start().await;
    let mine = world.ask("org_chart", json!({}), BO).await;
    assert_eq!(mine["person"]["name"], "Bo");
    assert_eq!(mine["managers"][0]["name"], "Ada");
    let adas = world.ask("org_chart", json!({ "person": ADA }), BO).await;
    assert_eq!(adas["managers"], json!([]));
    assert_eq!(adas["direct_reports"][0]["name"], "Bo");
}

#[tokio::test]
async fn the_original_of_a_policy_is_a_file() {
    let world = World::synced().await;
    for (document, file_name) in [
        ("notice:N1", "Reisekosten 2026.pdf"),
        ("notice:N2", "On-call.pdf"),
    ] {
        let mut documents = world.documents().await.into_iter();
        let document = documents
            .find(|found| found.document_id == document)
            .unwrap();
        // Callers know a document by Omni's id.
        let params = json!({ "document_id": document.id });
        let file = world.call("fetch_file", params, Some(BO)).await;
        assert_eq!((file.status, file.text.as_str()), (200, "%PDF notice"));
        assert_eq!(file.headers["x-file-name"], file_name);
    }
}

#[tokio::test]
async fn admins_get_their_reports() {
    let world = World::start().await;
    world.hr.later(|company| {
        company.employee("E2")["joined_on"] = "15-08-2026".into();
        company.employee("E3")["left_on"] = "31-07-2026".into();
    });
    let count = world.ask("headcount", json!({}), HAL).await;
    assert_eq!(count, json!([{ "name": "department", "count": 5 }]));
    let count = world
        .ask("headcount", json!({ "group_by": "location" }), HAL)
        .await;
    assert_eq!(count[0]["name"], "location");
    let names = async |report: &str, from: &str, to: &str| {
        let people = world
            .ask(report, json!({ "from": from, "to": to }), HAL)
            .await;
        let names = people
            .as_array()
            .unwrap()
            .iter()
            .map(|person| person["name"].clone());
        Value::Array(names.collect())
    };
    assert_eq!(
        names("new_joiners", "2026-08-01", "2026-08-31").await,
        json!(["Bo"])
    );
    assert_eq!(
        names("leavers", "2026-07-01", "2026-07-31").await,
        json!(["Cy"])
    );
    assert_eq!(
        names("leavers", "2026-08-01", "2026-08-31").await,
        json!([])
    );
}
