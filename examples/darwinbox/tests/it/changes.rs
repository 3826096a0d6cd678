//! What an incremental sync looks at.

use omni_connector::SyncType;

use crate::{
    hr::{Company, employee},
    support::{ADA, BO, CULTURE, ENGINEERING, HAL, World},
};

#[tokio::test]
async fn an_incremental_sync_looks_at_what_changed_and_nothing_else() {
    let world = World::synced().await;
    world
        .hr
        .later(|company| company.employee("E2")["job_title"] = "Lead".into());
    let progress = world.completes(SyncType::Incremental).await;
    assert_eq!((progress.effects.updated, progress.effects.created), (1, 0));
    assert_eq!(progress.run.documents_scanned, 1);
    assert_eq!(
        world.person(BO).await.unwrap().job_title.as_deref(),
        Some("Lead")
    );
}

#[tokio::test]
async fn what_changes_during_a_sync_is_seen_by_the_next() {
    let world = World::synced().await;
    // In the very minute in which the first sync began to look.
    let same_minute = |company: &mut Company| {
        company.minute -= 1;
        company.employee("E2")["job_title"] = "Lead".into();
    };
    world.hr.later(same_minute);
    world.completes(SyncType::Incremental).await;
    assert_eq!(
        world.person(BO).await.unwrap().job_title.as_deref(),
        Some("Lead")
    );
}

#[tokio::test]
async fn who_moves_changes_both_groups() {
    let world = World::synced().await;
    world
        .hr
        .later(|company| company.employee("E2")["department"] = "People & Culture".into());
    world.completes(SyncType::Incremental).await;
    assert_eq!(world.members(ENGINEERING).await, [ADA]);
    assert_eq!(world.members(CULTURE).await, [BO, HAL, "ivy@example.com"]);
}

#[tokio::test]
async fn who_comes_back_under_a_new_number_stays_a_person() {
    let world = World::synced().await;
    world.hr.later(|company| {
        company.employee("E2")["left_on"] = "22-08-2026".into();
        company.hire(employee("E9", "Bo", "Engineering", Some("E1")));
    });
    world.completes(SyncType::Incremental).await;
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
    let world = World::synced().await;
    world
        .hr
        .later(|company| company.employee("E2")["email"] = "bo.b@example.com".into());
    world.completes(SyncType::Incremental).await;
    assert!(world.person(BO).await.is_none());
    assert_eq!(
        world.person("bo.b@example.com").await.unwrap().external_id,
        "E2"
    );
    assert_eq!(world.members(ENGINEERING).await, [ADA, "bo.b@example.com"]);
}
