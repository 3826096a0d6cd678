//! An answer that cannot be read fails its list or the run, says what is wrong with it, and deletes nothing.

use omni_connector::{SyncType, prelude::*};

use crate::{
    fake::Trouble,
    support::{ADA, BOB, World, report},
};

const BODIES: [&str; 7] = [
    "",
    "{\"status\": 1, \"data\": [{\"id\": \"D",
    "<!doctype html><title>Sign in</title>",
    "{\"status\": 1}",
    "{\"status\": 1, \"data\": {\"id\": \"D1\"}, \"employee_data\": 7, \"holidays\": null, \"cols\": 1}",
    "[7",
    "{\"status\": 0, \"message\": \"Try later\"}",
];

#[tokio::test]
async fn a_list_that_cannot_be_read_is_reported_and_kept_and_the_others_go_on() {
    let world = World::synced().await;
    let before = world.documents().await.len();
    for path in [
        "orgmasterapi/departmentlist",
        "orgmasterapi/getpositionMaster",
        "orgmasterapi/employeeLocation",
        "leavesactionapi/holidaylist",
        "JobsApiv3/Joblist",
    ] {
        for body in BODIES {
            world.hr.fails(path, Trouble::Body(body), 99);
            let run = world.sync(SyncType::Incremental).await;
            let report = report(&run);
            assert!(report.contains(path), "{path} {body}: {report}");
            assert_eq!(world.documents().await.len(), before, "{path} {body}");
        }
        world.hr.fails(path, Trouble::Refuses, 0);
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_its_list() {
    let world = World::synced().await;
    for odd in [
        json!(7),
        json!(null),
        json!({}),
        json!({ "id": null, "department_name": " " }),
    ] {
        *world.hr.world().list("orgmasterapi/departmentlist") = vec![odd.clone()];
        let run = world.sync(SyncType::Incremental).await;
        assert!(report(&run).contains("departmentlist"));
        assert_eq!(world.ids_of("department:").await.len(), 2, "{odd}");
    }
    world
        .hr
        .world()
        .tables
        .get_mut("orgmasterapi/employeeManager")
        .unwrap()
        .1
        .push(json!(["", "a row that is cut"]));
    world.sync(SyncType::Incremental).await;
    assert_eq!(world.ids_of("employee_manager:").await.len(), 1);
}

#[tokio::test]
async fn a_master_that_cannot_be_read_fails_the_run_and_deletes_nobody() {
    let world = World::synced().await;
    for body in BODIES {
        // The first call is the look at the key.
        world
            .hr
            .fails("masterapi/employee", Trouble::Body(body), 99);
        let message = world.fails(SyncType::Full).await;
        assert!(message.contains("masterapi/employee"), "{body}: {message}");
        assert!(!message.contains("hr-key"), "{message}");
    }
    world.hr.fails(
        "masterapi/employee",
        Trouble::Body("{\"employee_data\": []}"),
        99,
    );
    assert!(world.fails(SyncType::Full).await.contains("`status`"));
    world.hr.fails("masterapi/employee", Trouble::Refuses, 0);
    // Somebody who is unreadable may be anybody, so nobody is gone.
    for odd in [json!(7), json!({ "first_name": "Bob" })] {
        world.hr.world().people[1] = odd;
        world.sync(SyncType::Full).await;
        assert!(world.person(BOB).await.is_some() && world.person(ADA).await.is_some());
    }
}

#[tokio::test]
async fn an_action_says_what_is_wrong_with_an_answer() {
    let world = World::start().await;
    for (body, why) in [
        (BODIES[1], "ends too early"),
        (BODIES[2], "`Sign in`"),
        (BODIES[3], "employee_data"),
        ("", "status"),
    ] {
        world.hr.fails("masterapi/employee", Trouble::Body(body), 9);
        let (status, message) = world.refused("get_my_profile", json!({}), BOB).await;
        assert!(
            message.contains("masterapi/employee") && message.contains(why),
            "{status} {message}"
        );
        assert_eq!(status, 502, "{message}");
    }
}
