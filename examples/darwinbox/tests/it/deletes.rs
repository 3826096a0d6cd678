//! What is gone at HR is gone in Omni, and nothing else is.

use omni_connector::SyncType;
use omni_connector_dev::store::runs::RunStatus;

use crate::{
    hr::Company,
    support::{ADA, BO, CULTURE, ENGINEERING, World},
};

#[tokio::test]
async fn who_leaves_and_what_is_withdrawn_is_gone_after_an_incremental_sync() {
    let world = World::synced().await;
    world.hr.later(|company| {
        company.employee("E2")["left_on"] = "22-08-2026".into();
        company.notice("N2")["withdrawn"] = true.into();
    });
    world.completes(SyncType::Incremental).await;
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
    let world = World::synced().await;
    world.hr.later(|company| {
        company
            .employees
            .retain(|employee| employee["employee_no"] != "E2");
        company.notices.retain(|notice| notice["notice_id"] != "N2");
    });
    world.completes(SyncType::Full).await;
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
async fn a_department_without_people_is_an_empty_group() {
    let world = World::synced().await;
    world.hr.later(|company| {
        company
            .employees
            .retain(|employee| employee["department"] == "Engineering");
    });
    world.completes(SyncType::Full).await;
    assert_eq!(world.members(CULTURE).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_list_that_breaks_off_deletes_nothing() {
    let world = World::synced().await;
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
    let world = World::synced().await;
    world.hr.later(|company| {
        company.employees.clear();
        company.notices.clear();
    });
    world.completes(SyncType::Full).await;
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
    world.completes(SyncType::Incremental).await;
    assert_eq!(world.document_ids().await.len(), 6);
}
