//! The tracker that the connector reads.

use omni_connector::{
    SecretString,
    http::{Auth, Paging},
};
use omni_connector_dev::testing::FakeApi;
use serde_json::{Value, json};

/// The number of issues; more than a dozen, so that an accident differs from a few deletes.
pub(crate) const ISSUES: usize = 13;

pub(crate) fn tracker() -> FakeApi {
    let key = SecretString::from("canary-7f3a".to_owned());
    let issues: Vec<Value> = (1..=ISSUES)
        .map(|number| {
            json!({
                "key": format!("OPS-{number}"),
                "title": format!("Disk {number} is full"),
                "text": format!("No space is left on disk {number}."),
                "project": "ops",
                "readers": ["ada@example.com", "bo@example.com"],
                "watchers": ["ada@example.com", "bo@example.com"],
                "updated": format!("2026-01-02T10:{:02}:00Z", number - 1),
            })
        })
        .collect();
    let teams = vec![
        json!({ "email": "ops@teams.example.com", "members": ["ada@example.com", "bo@example.com"] }),
    ];
    FakeApi::new()
        .auth(Auth::bearer(&key))
        .list(
            "/issues",
            "/issues",
            Paging::cursor("/next").size("limit", 4),
            issues,
        )
        .since("since", "updated")
        .container("project")
        .item("/issues/{key}", Clone::clone)
        .post(
            "/issues",
            |input| json!({ "key": "OPS-99", "title": input["title"] }),
        )
        .list(
            "/teams",
            "/teams",
            Paging::cursor("/next").size("limit", 50),
            teams,
        )
        .members("members")
}
