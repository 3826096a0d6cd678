//! Tests a fake API: its requirements, and its reports of undeclared calls.

use std::time::Duration;

use omni_connector::{
    HttpClient,
    http::{Paging, Quota},
};
use omni_connector_dev::testing::{Change, FakeApi, Source};
use serde_json::{Value, json};

use crate::source::tracker;

async fn get(url: String, key: Option<&str>) -> (u16, Value) {
    let client = HttpClient::builder().no_proxy().build().unwrap();
    let mut call = client.get(url);
    if let Some(key) = key {
        call = call.bearer_auth(key);
    }
    let answer = call.send().await.unwrap();
    let status = answer.status().as_u16();
    (
        status,
        serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
    )
}

#[tokio::test]
async fn a_fake_requires_the_credential_and_names_undeclared_calls() {
    let api = tracker();
    let url = api.url();
    assert_eq!(get(format!("{url}/issues"), None).await.0, 401);
    let key = Some("canary-7f3a");
    assert_eq!(get(format!("{url}/issue"), key).await.0, 404);
    assert_eq!(get(format!("{url}/issues?colour=red"), key).await.0, 200);
    assert_eq!(
        get(format!("{url}/issues?cursor=made-up"), key).await.0,
        400
    );
    let problems = api.problems();
    for expected in [
        "nobody declared `GET /issue`; the nearest route is `GET /issues`",
        "`colour` is a parameter of `GET /issues` that nobody declared",
        "`made-up` is not a token of this service",
    ] {
        assert!(
            problems.iter().any(|problem| problem == expected),
            "{expected}: {problems:?}"
        );
    }
    let (_, page) = get(format!("{url}/issues?cursor=after-4"), key).await;
    assert_eq!(
        (&page["issues"][0]["key"], &page["next"]),
        (&json!("OPS-5"), &json!("after-8"))
    );
    assert_eq!(
        get(format!("{url}/issues/OPS-3"), key).await.1["title"],
        "Disk 3 is full"
    );
}

#[tokio::test]
async fn a_fake_enforces_its_quota_and_changes() {
    let items = vec![json!({ "id": 1, "title": "a", "text": "b", "readers": ["a@x.org"] })];
    let api = FakeApi::new()
        .quota(Quota::new(2, Duration::from_mins(1)))
        .list("/list", "/items", Paging::link_header(), items);
    let url = api.url();
    api.change(&Change::Add).unwrap();
    api.change(&Change::Narrow(0)).unwrap();
    assert!(
        api.change(&Change::Leave)
            .unwrap_err()
            .to_string()
            .contains("no groups")
    );
    let (status, page) = get(format!("{url}/list"), None).await;
    assert_eq!((status, &page["items"][1]["id"]), (200, &json!(1_000_001)));
    assert_eq!(page["items"][0]["readers"], json!([]));
    assert_eq!(get(format!("{url}/list"), None).await.0, 200);
    assert_eq!(get(format!("{url}/list"), None).await.0, 429);
}

#[tokio::test]
async fn a_fake_lists_what_changed_since_its_token_whatever_the_clock_says() {
    let items: Vec<_> = (1..=3)
        .map(|id| json!({ "id": id, "title": "a", "text": "b" }))
        .collect();
    let api = FakeApi::new()
        .list(
            "/list",
            "/items",
            Paging::cursor("/next").size("limit", 100),
            items,
        )
        .item("/list/{id}", Clone::clone)
        .since_token("since", "/list/token");
    let url = api.url();
    let token = async || {
        let (_, answer) = get(format!("{url}/list/token"), None).await;
        answer["token"].as_str().unwrap().to_owned()
    };
    let ids = async |token: &str| {
        let (_, page) = get(format!("{url}/list?since={token}"), None).await;
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    let first = token().await;
    assert_eq!(ids(&first).await, [] as [u64; 0]);
    api.change(&Change::Edit(1)).unwrap();
    api.change(&Change::EditNow(0)).unwrap();
    assert_eq!(ids(&first).await, [1, 2]);
    let second = token().await;
    api.change(&Change::Add).unwrap();
    assert_eq!(ids(&second).await, [1_000_003]);
    assert_eq!(ids(&first).await, [1, 2, 1_000_003]);
    let (status, answer) = get(format!("{url}/list?since=other"), None).await;
    assert_eq!(
        (status, &answer["error"]),
        (400, &json!("this token is not known"))
    );
    assert!(api.problems().is_empty(), "{:?}", api.problems());
}

#[tokio::test]
async fn a_fake_limits_its_pages_and_lists_what_changed() {
    let items: Vec<_> = (1..=4)
        .map(|day| json!({ "id": day, "title": "a", "text": "b", "at": format!("2026-01-0{day}T00:00:00Z") }))
        .collect();
    let api = FakeApi::new()
        .at_most(3)
        .list(
            "/list",
            "/items",
            Paging::cursor("/next").size("limit", 100),
            items,
        )
        .since("after", "at");
    let url = api.url();
    let ids = async |query: &str| {
        let (_, page) = get(format!("{url}/list?{query}"), None).await;
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("limit=100").await, [1, 2, 3]);
    assert_eq!(ids("limit=2").await, [1, 2]);
    assert_eq!(ids("after=2026-01-03T00:00:00Z").await, [3, 4]);
    api.change(&Change::Edit(0)).unwrap();
    assert_eq!(ids("after=2026-01-04T00:00:00Z").await, [1, 4]);
    // An item that was added has a time as well.
    api.change(&Change::Add).unwrap();
    assert_eq!(ids("after=2026-01-04T00:00:00Z").await, [1, 4, 1_000_004]);
    assert!(api.problems().is_empty(), "{:?}", api.problems());
}
