//! What a sync brings to Omni, takes out of it, and leaves alone.

use omni_connector::{SyncType, contract::UserFilterMode, prelude::*};
use omni_connector_dev::store::runs::RunStatus;

use crate::{
    hr::{Company, Trouble, employee},
    support::{ADA, BO, HAL, World},
};

const ENGINEERING: &str = "engineering@departments.127.0.0.1";
const CULTURE: &str = "people_culture@departments.127.0.0.1";

/// A world after its first sync.
async fn synced() -> World {
    let world = World::start().await;
    complete(&world, SyncType::Full).await;
    world
}

async fn complete(world: &World, mode: SyncType) {
    let progress = world.sync(mode).await;
    assert_eq!(
        progress.run.status,
        RunStatus::Completed,
        "{:?}",
        progress.run
    );
    assert_eq!(progress.effects.refused, 0);
    assert_eq!(progress.run.sync_type, mode);
}

#[tokio::test]
async fn a_full_sync_brings_people_notices_and_groups() {
    let world = synced().await;
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
    let world = synced().await;
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
    let world = synced().await;
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
async fn an_incremental_sync_looks_at_what_changed_and_nothing_else() {
    let world = synced().await;
    world
        .hr
        .later(|company| company.employee("E2")["job_title"] = "Lead".into());
    let progress = world.sync(SyncType::Incremental).await;
    assert_eq!(progress.run.status, RunStatus::Completed);
    assert_eq!((progress.effects.updated, progress.effects.created), (1, 0));
    assert_eq!(progress.run.documents_scanned, 1);
    assert_eq!(
        world.person(BO).await.unwrap().job_title.as_deref(),
        Some("Lead")
    );
}

#[tokio::test]
async fn what_changes_during_a_sync_is_seen_by_the_next() {
    let world = synced().await;
    // In the very minute in which the first sync began to look.
    let same_minute = |company: &mut Company| {
        company.minute -= 1;
        company.employee("E2")["job_title"] = "Lead".into();
    };
    world.hr.later(same_minute);
    complete(&world, SyncType::Incremental).await;
    assert_eq!(
        world.person(BO).await.unwrap().job_title.as_deref(),
        Some("Lead")
    );
}

#[tokio::test]
async fn who_moves_changes_both_groups() {
    let world = synced().await;
    world
        .hr
        .later(|company| company.employee("E2")["department"] = "People & Culture".into());
    complete(&world, SyncType::Incremental).await;
    assert_eq!(world.members(ENGINEERING).await, [ADA]);
    assert_eq!(world.members(CULTURE).await, [BO, HAL, "ivy@example.com"]);
}

#[tokio::test]
async fn who_leaves_and_what_is_withdrawn_is_gone_after_an_incremental_sync() {
    let world = synced().await;
    world.hr.later(|company| {
        company.employee("E2")["left_on"] = "22-08-2026".into();
        company.notice("N2")["withdrawn"] = true.into();
    });
    complete(&world, SyncType::Incremental).await;
    let left = [
        "notice:N1",
        "notice:N3",
        "profile:E1",
        "profile:E4",
        "profile:E5",
    ];
    assert_eq!(world.document_ids().await, left);
    assert!(world.person(BO).await.is_none());
    assert_eq!(world.members(ENGINEERING).await, [ADA]);
}

#[tokio::test]
async fn what_is_no_longer_listed_is_gone_after_a_full_sync() {
    let world = synced().await;
    world.hr.later(|company| {
        company
            .employees
            .retain(|employee| employee["employee_no"] != "E2");
        company.notices.retain(|notice| notice["notice_id"] != "N2");
    });
    complete(&world, SyncType::Full).await;
    let left = [
        "notice:N1",
        "notice:N3",
        "profile:E1",
        "profile:E4",
        "profile:E5",
    ];
    assert_eq!(world.document_ids().await, left);
    assert!(world.person(BO).await.is_none());
    assert_eq!(world.members(ENGINEERING).await, [ADA]);
}

#[tokio::test]
async fn a_list_that_breaks_off_deletes_nothing() {
    let world = synced().await;
    world.hr.later(|company| {
        company
            .employees
            .retain(|employee| employee["employee_no"] != "E2");
        // The second page cannot be read.
        company.employees[2]["joined_on"] = "soon".into();
    });
    let progress = world.sync(SyncType::Full).await;
    assert_eq!(progress.run.status, RunStatus::Failed);
    let message = progress.run.error_message.unwrap();
    assert!(message.contains("joined_on"), "{message}");
    assert_eq!(world.document_ids().await.len(), 7);
    assert!(world.person(BO).await.is_some());
}

#[tokio::test]
async fn an_empty_hr_system_looks_like_an_accident() {
    let world = synced().await;
    world.hr.later(|company| {
        company.employees.clear();
        company.notices.clear();
    });
    complete(&world, SyncType::Full).await;
    assert_eq!(world.document_ids().await.len(), 7);
    assert_eq!(world.members(ENGINEERING).await, [ADA, BO]);
    // What was held back is still known: when it is really gone, it goes.
    world.hr.later(|company| {
        *company = Company {
            minute: company.minute,
            ..Company::new()
        }
    });
    world
        .hr
        .later(|company| company.employee("E2")["left_on"] = "22-08-2026".into());
    complete(&world, SyncType::Incremental).await;
    assert_eq!(world.document_ids().await.len(), 6);
}

#[tokio::test]
async fn who_comes_back_under_a_new_number_stays_a_person() {
    let world = synced().await;
    world.hr.later(|company| {
        company.employee("E2")["left_on"] = "22-08-2026".into();
        company.hire(employee("E9", "Bo", "Engineering", Some("E1")));
    });
    complete(&world, SyncType::Incremental).await;
    assert_eq!(world.person(BO).await.unwrap().external_id, "E9");
    assert!(
        !world
            .document_ids()
            .await
            .contains(&"profile:E2".to_owned())
    );
}

#[tokio::test]
async fn a_new_address_replaces_the_old_one() {
    let world = synced().await;
    world
        .hr
        .later(|company| company.employee("E2")["email"] = "bo.b@example.com".into());
    complete(&world, SyncType::Incremental).await;
    assert!(world.person(BO).await.is_none());
    assert_eq!(
        world.person("bo.b@example.com").await.unwrap().external_id,
        "E2"
    );
    assert_eq!(world.members(ENGINEERING).await, [ADA, "bo.b@example.com"]);
}

#[tokio::test]
async fn who_has_no_address_is_left_out_and_reported() {
    let world = World::start().await;
    world
        .hr
        .later(|company| company.employee("E2")["email"] = "".into());
    complete(&world, SyncType::Full).await;
    assert!(
        !world
            .document_ids()
            .await
            .contains(&"profile:E2".to_owned())
    );
    assert_eq!(world.members(ENGINEERING).await, [ADA]);
}

#[tokio::test]
async fn the_sources_settings_and_filter_decide_who_belongs() {
    let mut world = synced().await;
    world
        .change_source(|source| {
            source.config["include_contractors"] = true.into();
            source.user_filter_mode = UserFilterMode::Blacklist;
            source.user_blacklist = Some(vec!["Hal@Example.com".to_owned()]);
        })
        .await;
    complete(&world, SyncType::Full).await;
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
