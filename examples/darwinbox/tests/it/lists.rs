//! Lists become documents with ids of their own, for those who may see them, and go when a whole list is without them.

use std::collections::BTreeMap;

use omni_connector::{SyncType, prelude::*};

use crate::{
    fake::{Trouble, row},
    support::{ADA, BOB, World, report},
};

const KINDS: [&str; 14] = [
    "department",
    "designation",
    "office_location",
    "business_unit",
    "division",
    "cost_center",
    "group_company",
    "job_level",
    "position",
    "employee_job_level",
    "employee_location",
    "employee_manager",
    "holiday",
    "job",
];

impl World {
    async fn readers(&self, id: &str) -> Value {
        self.documents().await[id].permissions.clone().unwrap()
    }
}

#[tokio::test]
async fn every_kind_is_there_and_what_is_gone_goes() {
    let world = World::synced().await;
    for kind in KINDS {
        assert!(
            !world.ids_of(&format!("{kind}:")).await.is_empty(),
            "{kind}"
        );
    }
    {
        let mut hr = world.hr.world();
        hr.list("orgmasterapi/departmentlist").remove(1);
        hr.tables
            .get_mut("orgmasterapi/employeeManager")
            .unwrap()
            .1
            .clear();
        hr.list("JobsApiv3/Joblist").clear();
    }
    world.sync(SyncType::Incremental).await;
    assert_eq!(
        world.ids_of("department:").await,
        ["darwinbox:department:d1"]
    );
    for kind in ["employee_manager:", "job:"] {
        assert!(world.ids_of(kind).await.is_empty(), "{kind}");
    }
    assert!(!world.ids_of("job_level:").await.is_empty());
}

#[tokio::test]
async fn records_that_omni_gave_one_id_have_an_id_each_and_keep_it() {
    let world = World::start().await;
    {
        let mut hr = world.hr.world();
        hr.list("orgmasterapi/getpositionMaster")
            .push(json!({ "name": "Painter", "position_code": "P-8", "status": "Active" }));
        let names = ["塗装部", "造船部"].map(|name| json!({ "name": name, "status": "Active" }));
        hr.list("orgmasterapi/divisionlist").extend(names);
        let rows = &mut hr.tables.get_mut("orgmasterapi/employeeManager").unwrap().1;
        rows.extend([
            row(&["E2", "Bob Boat", "Carol Gone", "01-03-2020"]),
            row(&["E2", "Bob Boat", "Carol Gone", ""]),
            row(&["E2", "Bob Boat", "Ada Light", ""]),
        ]);
    }
    world.sync(SyncType::Full).await;
    let before = texts(&world).await;
    let of = |kind: &str| {
        let prefix = format!("darwinbox:{kind}:");
        let ids = before.keys().filter(|id| id.starts_with(&prefix));
        ids.map(String::as_str).collect::<Vec<_>>()
    };
    let (positions, divisions) = (of("position"), of("division"));
    assert_eq!(
        (positions.len(), positions[0]),
        (2, "darwinbox:position:painter")
    );
    assert_eq!((divisions.len(), divisions[0]), (3, "darwinbox:division:"));
    let managers = of("employee_manager");
    assert_eq!(managers.len(), 4, "{managers:?}");
    assert!(managers.contains(&"darwinbox:employee_manager:e2-01-03-2020"));
    // Another order, a new row before the others and another status: each id stays with its record.
    {
        let mut hr = world.hr.world();
        hr.list("orgmasterapi/divisionlist").reverse();
        hr.list("orgmasterapi/getpositionMaster").reverse();
        hr.list("orgmasterapi/getpositionMaster")[0]["status"] = "Closed".into();
        let rows = &mut hr.tables.get_mut("orgmasterapi/employeeManager").unwrap().1;
        rows.reverse();
        rows.insert(0, row(&["E2", "Bob Boat", "Dan New", ""]));
    }
    world.sync(SyncType::Incremental).await;
    let mut after = texts(&world).await;
    for (id, text) in &before {
        assert_eq!(after.remove(id).as_ref(), Some(text), "{id}");
    }
    let [new] = &after.into_values().collect::<Vec<_>>()[..] else {
        panic!("the new row is not one document")
    };
    assert!(new.contains("Dan New"), "{new}");
}

/// The texts of all documents by their ids, without the lines that say a status.
async fn texts(world: &World) -> BTreeMap<String, String> {
    let documents = world.documents().await;
    let without_status = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("- Status"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let texts = documents
        .iter()
        .map(|document| (document.id.clone(), without_status(&document.text)));
    texts.collect()
}

#[tokio::test]
async fn nobody_sees_what_is_over_and_histories_are_for_the_person_and_the_manager() {
    let world = World::start().await;
    for (id, status) in [
        ("U2", json!("Archived")),
        ("U3", json!(" active ")),
        ("U4", json!(0)),
        ("U5", Value::Null),
    ] {
        world
            .hr
            .world()
            .list("orgmasterapi/businessunitlist")
            .push(json!({ "id": id, "name": id, "status": status }));
    }
    let stranger = row(&["E99", "Eve", "Ada Light", "01-01-2020"]);
    world
        .hr
        .world()
        .tables
        .get_mut("orgmasterapi/employeeManager")
        .unwrap()
        .1
        .push(stranger);
    world.sync(SyncType::Full).await;
    let nobody = json!({ "public": false, "users": [], "groups": [] });
    for (id, is_public) in [
        ("u1", true),
        ("u2", false),
        ("u3", true),
        ("u4", true),
        ("u5", true),
    ] {
        let readers = world
            .readers(&format!("darwinbox:business_unit:{id}"))
            .await;
        assert_eq!(readers["public"], is_public, "{id}");
    }
    assert_eq!(world.readers("darwinbox:department:d2").await, nobody);
    let history = world
        .readers("darwinbox:employee_manager:e2-01-03-2020")
        .await;
    assert_eq!(
        (
            &history["public"],
            history["users"].as_array().unwrap().len()
        ),
        (&json!(false), 2)
    );
    assert!(history["users"].as_array().unwrap().contains(&json!(ADA)));
    // A new manager may see it, and the old one no longer.
    world.hr.world().person("E2")["direct_manager_employee_id"] = "E3".into();
    world.sync(SyncType::Incremental).await;
    let history = world
        .readers("darwinbox:employee_manager:e2-01-03-2020")
        .await;
    assert_eq!(history["users"], json!([BOB, "carol@example.com"]));
}

#[tokio::test]
async fn only_listed_columns_of_a_history_are_shown() {
    let world = World::start().await;
    let ended = world.sync(SyncType::Full).await;
    let events = world.events(&ended.progress.run).await;
    let level = events
        .iter()
        .find(|event| event["document_id"] == "darwinbox:employee_job_level:e1-01-02-2019")
        .unwrap();
    assert!(
        !level["content"].as_str().unwrap().contains("Salary"),
        "{level}"
    );
}

#[tokio::test]
async fn holidays_are_those_of_every_office_this_year_and_the_next_and_the_past_stays() {
    let world = World::start().await;
    let today = OffsetDateTime::now_utc().year();
    let holiday = |year: i32| json!([{ "name": "Harbour day", "date": format!("{year}-06-01") }]);
    world.hr.world().holidays = [today, today + 1]
        .map(|year| (year.to_string(), holiday(year)))
        .into();
    world.sync(SyncType::Full).await;
    let ids = world.ids_of("holiday:").await;
    assert_eq!(
        ids,
        [today, today + 1].map(|year| format!("darwinbox:holiday:{year}-06-01-harbour-day"))
    );
    let asked = world.hr.calls("leavesactionapi/holidaylist");
    let employees: Vec<_> = asked
        .iter()
        .map(|body| body["employee_no"].as_str().unwrap())
        .collect();
    assert_eq!(employees, ["E1", "E2", "E1", "E2"]);
    world.hr.world().holidays.clear();
    world.sync(SyncType::Incremental).await;
    assert!(world.ids_of("holiday:").await.is_empty());
}

#[tokio::test]
async fn a_list_that_the_key_may_not_read_is_skipped_and_kept() {
    let world = World::synced().await;
    let before = world.documents().await.len();
    for status in [401, 403] {
        world
            .hr
            .fails("orgmasterapi/departmentlist", Trouble::Status(status), 9);
        world
            .hr
            .fails("orgmasterapi/employeeManager", Trouble::Status(status), 9);
        let run = world.sync(SyncType::Full).await;
        let report = report(&run);
        assert!(report.contains("may not use the endpoint"), "{report}");
        assert!(!report.contains("go away"), "{report}");
        assert_eq!(world.documents().await.len(), before);
    }
    // Without the people there are no histories and no holidays; what Omni has of them stays.
    world
        .hr
        .fails("masterapi/employee", Trouble::Status(403), 9);
    world.sync(SyncType::Incremental).await;
    assert_eq!(world.documents().await.len(), before);
    assert!(world.person(BOB).await.is_some());
}
