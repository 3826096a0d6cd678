//! What a sync brings to Omni, takes out of it, and leaves alone.

use omni_connector::{SyncType, prelude::*, wire::UserFilterMode};
use omni_connector_dev::store::runs::RunStatus;

use crate::{
    hr::Trouble,
    support::{ADA, BO, CULTURE, ENGINEERING, HAL, World},
};

#[tokio::test]
async fn a_full_sync_brings_people_notices_and_groups() {
    let world = World::synced().await;
    let ids = world.document_ids().await;
    let all = [
        "notice:N1",
        "notice:N2",
        "notice:N3",
        "profile:E1",
        "profile:E2",
        "profile:E4",
        "profile:E5",
    ];
    assert_eq!(ids, all);
    let bo = world.person(BO).await.unwrap();
    assert_eq!(bo.external_id, "E2");
    assert_eq!(bo.manager_external_id.as_deref(), Some("E1"));
    assert_eq!(bo.employment_start_date.as_deref(), Some("2021-03-01"));
    assert_eq!(world.members(ENGINEERING).await, [ADA, BO]);
    assert_eq!(world.members(CULTURE).await, [HAL, "ivy@example.com"]);
}

#[tokio::test]
async fn documents_carry_the_attributes_of_the_operators() {
    let world = World::synced().await;
    let attributes = |id: &'static str| {
        let documents = world.documents();
        async move {
            let mut documents = documents.await.into_iter();
            documents
                .find(|document| document.document_id == id)
                .unwrap()
                .attributes
        }
    };
    let bo = json!({ "department": "engineering", "location": "berlin", "manager": ADA });
    assert_eq!(attributes("profile:E2").await, bo);
    let ada = json!({ "department": "engineering", "location": "berlin" });
    assert_eq!(attributes("profile:E1").await, ada);
    assert_eq!(
        attributes("notice:N2").await,
        json!({ "department": ["engineering"] })
    );
}

#[tokio::test]
async fn nobody_sees_more_than_hr_shows_them() {
    let world = World::synced().await;
    let everybody = json!({ "public": true, "users": [], "groups": [] });
    let expected = [
        ("notice:N1", everybody.clone()),
        (
            "notice:N2",
            json!({ "public": false, "users": [], "groups": [ENGINEERING] }),
        ),
        // An audience that the connector does not know.
        (
            "notice:N3",
            json!({ "public": false, "users": [], "groups": [] }),
        ),
        ("profile:E1", everybody.clone()),
        ("profile:E2", everybody.clone()),
        ("profile:E4", everybody),
        (
            "profile:E5",
            json!({ "public": false, "users": ["ivy@example.com", HAL], "groups": [] }),
        ),
    ];
    for (document, (id, permissions)) in world.documents().await.into_iter().zip(expected) {
        assert_eq!(document.document_id, id);
        assert_eq!(document.permissions, Some(permissions), "{id}");
    }
}

#[tokio::test]
async fn who_has_no_address_is_left_out_and_reported() {
    let world = World::start().await;
    world
        .hr
        .later(|company| company.employee("E2")["email"] = "".into());
    let run = world.completes(SyncType::Full).await.run.id;
    assert!(
        !world
            .document_ids()
            .await
            .contains(&"profile:E2".to_owned())
    );
    assert_eq!(world.members(ENGINEERING).await, [ADA]);
    let report = world.get(&format!("/sync/{run}/report")).await;
    let reason = "the person has no e-mail address";
    assert!(report.to_string().contains(reason), "{report}");
}

#[tokio::test]
async fn the_sources_settings_and_filter_decide_who_belongs() {
    let mut world = World::synced().await;
    world
        .change_source(|source| {
            source.config["include_contractors"] = true.into();
            source.user_filter_mode = UserFilterMode::Blacklist;
            source.user_blacklist = Some(vec!["Hal@Example.com".to_owned()]);
        })
        .await;
    world.completes(SyncType::Full).await;
    assert_eq!(
        world.members(ENGINEERING).await,
        [ADA, BO, "cy@example.com"]
    );
    assert!(world.person(HAL).await.is_none());
    assert!(
        !world
            .document_ids()
            .await
            .contains(&"profile:E4".to_owned())
    );
}

#[tokio::test]
async fn a_sync_waits_when_it_is_told_to() {
    let world = World::start().await;
    // The first of them meets the look at the key, which does not wait and lets the run begin all the same.
    world.hr.is_in(Trouble::Busy {
        calls: 3,
        retry_after: "0",
    });
    let progress = world.sync(SyncType::Full).await;
    assert_eq!(progress.run.status, RunStatus::Completed);
    let (pages, told_to_wait) = (3, 2);
    assert_eq!(world.hr.calls("employees/list"), pages + told_to_wait);
}

#[tokio::test]
async fn a_key_that_does_not_work_is_said_before_the_run_begins() {
    let world = World::start().await;
    world.hr.is_in(Trouble::KeyRevoked);
    let refused = world.manager.sync(&world.source.id, SyncType::Full).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("refused the API key"), "{message}");
    assert!(message.contains("status=400"), "{message}");
    assert_eq!(world.hr.calls("employees/list"), 0);
}
