//! The pane of the requests: what a connector reported of them, and faults that a person plans. Forms answer programs as JSON.

use omni_connector_dev::store::requests;
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, ORIGIN},
};
use serde_json::{Value, json};

use crate::{World, browser::Browser};

fn call(number: u64, operation: &str, at: u64, steps: Value) -> Value {
    let is_ok = steps[0]["error"].is_null();
    json!({
        "number": number, "operation": operation, "method": "GET", "url": "https://acme.example/<b>issues", "page": 1,
        "walk": 1, "at_ms": at, "took_ms": 300, "bytes": 2048, "outcome": if is_ok { "ok" } else { "unavailable" },
        "steps": steps,
    })
}

fn step(at: u64, took: u64, wait: Option<&str>, status: Option<u16>, error: Option<&str>) -> Value {
    json!({ "at_ms": at, "took_ms": took, "wait": wait, "status": status, "error": error })
}

/// What a process says of a run: a call that waited, and one that failed.
fn said(began: u64) -> Value {
    let cost = |failed: u64, waited: u64| json!({ "calls": 1, "attempts": 1, "failed": failed, "bytes": 2048, "took_ms": 300, "waited_ms": waited });
    json!({
        "began_ms": began, "calls": 2,
        "operations": { "GET issues": cost(0, 200), "GET <b>": cost(1, 0) },
        "walks": [{ "number": 1, "operation": "GET issues", "pages": 2, "items": [2, 1], "total": 4, "is_complete": false,
            "incomplete": "only 3 of 4 items were read" }],
        "requests": [
            call(1, "GET issues", 0, json!([step(0, 200, Some("pace"), None, None), step(200, 100, None, Some(200), None)])),
            call(2, "GET <b>", 400, json!([step(400, 300, None, Some(503), Some("it is down"))])),
        ],
    })
}

async fn keep(world: &World, said: Value) {
    let run = world.run.clone();
    let said = serde_json::from_value(said).unwrap();
    let store = world.manager.store();
    store
        .write(move |db| requests::put(db, &run, said))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_requests_of_a_run_are_shown_with_their_waits_and_costs() {
    let world = World::new().await;
    let browser = world.browser().await;
    let walk = "A walk over `GET issues` did not come to its end: only 3 of 4 items were read";
    let doubts = async || browser.json("/dev/sync").await["doubts"].to_string();
    assert!(!doubts().await.contains(walk), "nothing is known yet");
    let nothing = browser.json("/dev/requests").await;
    assert_eq!(nothing["is_reported"], false);
    let page = browser.page("/dev/requests").await;
    assert!(page.contains("Nothing was reported"), "{page}");

    keep(&world, said(1_000)).await;
    assert!(doubts().await.contains(walk), "{}", doubts().await);
    let shown = browser.json("/dev/requests").await;
    let costs = &shown["costs"];
    let expected = json!({
        "calls": 2, "attempts": 2, "failed": 1, "bytes": 4096, "waited_ms": 200, "took_ms": 600, "documents": 3,
    });
    assert_eq!(*costs, expected);
    let found = async |query: &str| {
        let shown = browser.json(&format!("/dev/requests?{query}")).await;
        shown["found"].as_u64().unwrap()
    };
    assert_eq!(found("").await, 2);
    assert_eq!(found("only=failed").await, 1);
    assert_eq!(found("only=waited").await, 1);
    assert_eq!(found("op=GET%20issues").await, 1);
    assert_eq!(found("run=another").await, 0);
    let page = browser.page("/dev/requests").await;
    for part in [
        "waited 200 ms for the quota of the source",
        "answered 503 after 300 ms",
        "it is down",
        "only 3 of 4 items were read",
        "3 items",
        "<rect class=\"wait\" x=\"0\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<b>"), "{page}");
}

#[tokio::test]
async fn a_process_that_goes_on_with_a_run_adds_to_what_the_first_one_asked() {
    let world = World::new().await;
    let browser = world.browser().await;
    keep(&world, said(1_000)).await;
    keep(&world, said(9_000)).await;
    // What is said once more changes nothing.
    keep(&world, said(9_000)).await;
    let shown = browser.json("/dev/requests").await;
    assert_eq!(
        (&shown["costs"]["calls"], &shown["found"]),
        (&json!(4), &json!(4))
    );
    let began: Vec<_> = shown["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["began_ms"].as_u64().unwrap())
        .collect();
    assert_eq!(began, [1_000, 1_000, 9_000, 9_000]);
    browser
        .send(&format!("/dev/source/remove?source={}", world.source), &[])
        .await;
    let run = world.run.clone();
    let left = world
        .manager
        .store()
        .read(move |db| requests::of_run(db, &run));
    assert!(left.await.unwrap().is_empty(), "it goes with its source");
}

/// Sends a form as a program does.
pub(crate) async fn send(
    browser: &Browser,
    path: &str,
    fields: &[(&str, &str)],
) -> (StatusCode, Value) {
    let request = browser.request(Method::POST, path).form(fields);
    let request = request.header(ORIGIN, &browser.url);
    let answer = request.header(ACCEPT, "application/json").send().await;
    let answer = answer.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_fault_is_planned_in_the_connector_and_nonsense_is_refused() {
    let world = World::new().await;
    let browser = world.browser().await;
    let plan = async |fault: &str, times: &str| {
        let fields = [
            ("operation", "GET issues"),
            ("fault", fault),
            ("times", times),
        ];
        send(&browser, "/dev/requests/fail", &fields).await
    };
    let (status, done) = plan("too_many_requests", "2").await;
    assert_eq!(status, 200);
    let expected = "The next 2 attempts of `GET issues` will fail: 429, try again in 2 s.";
    assert_eq!(done["done"], expected);
    for (fault, times, status, part) in [
        ("explode", "1", 400, "`explode` is not a fault"),
        ("server_error", "0", 400, "once or more often"),
        ("server_error", "7", 409, "takes no planned faults"),
    ] {
        let (answered, refusal) = plan(fault, times).await;
        assert_eq!(answered.as_u16(), status, "{fault}");
        let error = refusal["error"].as_str().unwrap();
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_program_gets_what_came_of_a_form_as_json() {
    let world = World::new().await;
    let browser = world.browser().await;
    let (status, done) = send(&browser, "/dev/sync/checkpoint", &[("checkpoint", "7")]).await;
    assert_eq!(status, 200);
    assert!(
        done["done"].as_str().unwrap().starts_with("Saved."),
        "{done}"
    );
    let (status, refusal) = send(&browser, "/dev/sync/rewind", &[("saved", "x")]).await;
    assert_eq!(status, 400);
    assert_eq!(
        refusal["error"],
        "`x` is not the number of a saved checkpoint"
    );
    let (status, _) = send(&browser, "/dev/sync/rewind", &[("saved", "999")]).await;
    assert_eq!(status, 404);
    let (status, _) = send(&browser, "/dev/bench", &[("order", "kill")]).await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn what_a_form_says_is_read_by_a_person_and_not_by_the_script() {
    let world = World::new().await;
    let browser = world.browser().await;
    let path = format!("/dev/sync/checkpoint?source={}", world.source);
    browser.send(&path, &[("checkpoint", "7")]).await;
    let look = async |kind: &str| {
        let request = browser.request(Method::GET, "/dev/sync");
        let answer = request.header("sec-fetch-dest", kind).send().await;
        answer
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("Saved. The next run")
    };
    assert!(!look("empty").await, "a request of the script");
    browser.json("/dev/sync").await;
    assert!(look("document").await, "the page itself");
    assert!(!look("document").await, "it is said once");
}
