//! People come to Omni with all that it knows of, and leave only by a whole list without them.

use omni_connector::{SyncType, prelude::*, wire::UserFilterMode};
use omni_connector_dev::testing::eventually;

use crate::{
    fake::Trouble,
    support::{ADA, BOB, CAROL, World, report},
};

#[tokio::test]
async fn one_odd_record_does_not_hold_up_the_others() {
    let world = World::start().await;
    {
        let mut hr = world.hr.world();
        hr.person("E1")["direct_manager_employee_id"] = "E1".into();
        hr.person("E1")["date_of_joining"] = "soon".into();
        hr.person("E2")["company_email_id"] = " ".into();
        let twice = hr.person("E3").clone();
        hr.people.push(twice);
    }
    let run = world.sync(SyncType::Full).await;
    let ada = world.person(ADA).await.unwrap();
    assert_eq!(
        (ada.manager_external_id, ada.employment_start_date),
        (None, None)
    );
    assert!(world.person(BOB).await.is_none());
    assert!(world.person(CAROL).await.is_some());
    let report = report(&run);
    for part in ["no e-mail address", "date_of_joining", "another record"] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

#[tokio::test]
async fn who_comes_back_under_a_new_number_stays_a_person() {
    let world = World::synced().await;
    {
        let mut hr = world.hr.world();
        let mut again = hr.person("E2").clone();
        hr.person("E2")["employee_status"] = "Inactive".into();
        again["employee_id"] = "E9".into();
        hr.people.push(again);
    }
    world.sync(SyncType::Incremental).await;
    let bob = world.person(BOB).await.unwrap();
    assert_eq!(
        (bob.external_id.as_str(), bob.is_active),
        ("E9", Some(true))
    );
}

#[tokio::test]
async fn a_new_address_replaces_the_old_one() {
    let world = World::synced().await;
    world.hr.world().person("E2")["company_email_id"] = "Bob.Boat@example.com".into();
    world.sync(SyncType::Incremental).await;
    assert!(world.person(BOB).await.is_none());
    assert_eq!(
        world
            .person("bob.boat@example.com")
            .await
            .unwrap()
            .external_id,
        "E2"
    );
}

#[tokio::test]
async fn the_filter_of_the_source_decides_who_belongs() {
    let world = World::synced().await;
    world
        .change_source(|source| {
            source.user_filter_mode = UserFilterMode::Blacklist;
            source.user_blacklist = Some(vec!["Bob@Example.com".to_owned()]);
        })
        .await;
    world.sync(SyncType::Full).await;
    assert!(world.person(BOB).await.is_none());
    assert!(world.person(ADA).await.is_some());
}

#[tokio::test]
async fn an_empty_master_looks_like_an_accident_and_what_is_held_back_goes_later() {
    let world = World::synced().await;
    let everybody = std::mem::take(&mut world.hr.world().people);
    world.sync(SyncType::Full).await;
    assert!(world.person(ADA).await.is_some() && world.person(CAROL).await.is_some());
    world.hr.world().people = everybody;
    world
        .hr
        .world()
        .people
        .retain(|person| person["employee_id"] != "E3");
    world.sync(SyncType::Incremental).await;
    assert!(world.person(ADA).await.is_some() && world.person(CAROL).await.is_none());
}

#[tokio::test]
async fn everybody_who_is_sent_is_named_in_a_checkpoint_before() {
    let world = World::start().await;
    // The run waits at the first list, behind the people.
    world
        .hr
        .fails("orgmasterapi/departmentlist", Trouble::Hangs, 99);
    let run = world.begin(SyncType::Full).await;
    let hr = &world.hr;
    let waits = async || (!hr.calls("orgmasterapi/departmentlist").is_empty()).then_some(());
    eventually("the run waits", waits).await;
    let saved = world.saved_by(&run).await.unwrap();
    assert_eq!(saved["synced_person_emails"], json!([ADA, BOB, CAROL]));
    world.manager.cancel(&run.id).await.unwrap();
}
