//! Who may not do something is told so, and nothing happens.

use omni_connector::prelude::*;

use crate::support::{ADA, BO, HAL, World};

#[tokio::test]
async fn nobody_decides_for_somebody_elses_team() {
    let world = World::start().await;
    // Bo's own request, a peer's manager, and a manager of a manager are no exceptions.
    for (actor, request) in [(BO, "R1"), (HAL, "R1"), (ADA, "R2")] {
        for action in ["approve_request", "reject_request"] {
            let params = json!({ "request_id": request, "reason": "because" });
            let (status, message) = world.refused(action, params, actor).await;
            assert_eq!(status, 403, "{action} of {request} by {actor}");
            assert!(
                message.contains("not from one of your direct reports"),
                "{message}"
            );
        }
    }
    assert_eq!(world.hr.calls("requests/decide"), 0);
}

#[tokio::test]
async fn nobody_cancels_somebody_elses_request() {
    let world = World::start().await;
    let (status, message) = world
        .refused("cancel_request", json!({ "request_id": "R1" }), ADA)
        .await;
    assert_eq!(
        (status, message.as_str()),
        (403, "request `R1` is somebody else's")
    );
    assert_eq!(world.hr.calls("requests/cancel"), 0);
}

#[tokio::test]
async fn what_is_decided_stays_decided() {
    let world = World::start().await;
    let decided = json!({ "request_id": "R3", "reason": "because" });
    for (action, actor) in [
        ("cancel_request", BO),
        ("approve_request", ADA),
        ("reject_request", ADA),
    ] {
        let (status, message) = world.refused(action, decided.clone(), actor).await;
        assert_eq!(
            (status, message.as_str()),
            (409, "request `R3` is no longer pending"),
            "{action}"
        );
    }
    let (status, _) = world
        .refused("cancel_request", json!({ "request_id": "R99" }), BO)
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn who_keeps_out_of_the_directory_has_no_chart_and_what_is_not_addressed_no_file() {
    let world = World::start().await;
    let ivy = json!({ "person": "ivy@example.com" });
    assert_eq!(world.refused("org_chart", ivy.clone(), BO).await.0, 403);
    assert_eq!(
        world.ask("org_chart", ivy, HAL).await["person"]["name"],
        "Ivy"
    );
    let fetch = async |id: &str, actor: &str| {
        world
            .refused("fetch_file", json!({ "file_id": id }), actor)
            .await
            .0
    };
    assert_eq!(fetch("notice:N2", HAL).await, 403);
    assert_eq!(fetch("notice:N3", HAL).await, 403);
    assert_eq!(fetch("notice:N99", HAL).await, 404);
    assert_eq!(fetch("profile:E1", HAL).await, 404);
    world
        .hr
        .later(|company| company.notice("N1")["file_name"] = Value::Null);
    assert_eq!(fetch("notice:N1", HAL).await, 404);
}
